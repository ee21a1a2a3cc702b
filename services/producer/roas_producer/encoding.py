"""From a step of the sequence straight to the bytes of its event.

The general way, an event object and a general Avro writer, costs 35 µs an event, most of what a
producer in Python has to spend. These records are ours and flat, so their bytes are joined from
pieces, most of which repeat from row to row and are remembered: 4 µs. A test holds the result
against the general way, for any row and every version that can be written; another fails when the
newest version of a schema is none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from roas_contracts import wire
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS, PricingModel, Source
from roas_producer.rows import NO_DEVICE, NO_SITE, AdRow
from roas_producer.sequence import Kind, Occurrence

VERSIONS: Final[Mapping[str, tuple[int, ...]]] = {
    AD_IMPRESSIONS: (1, 2),
    AD_CLICKS: (1, 2),
    AD_CONVERSIONS: (1,),
}
"""Versions of each topic's schema that can be written: the newest of the contracts is."""

_PRICED_SINCE: Final = 2
"""Version of impressions and clicks that added their pricing model."""

CLICK_SUFFIX: Final = "-c"
"""A click's id is its impression's id and this."""

CONVERSION_SUFFIX: Final = "-v"
"""A conversion's id is its impression's id and this."""

_SOURCES: Final = ["UNKNOWN", "AVAZU", "GENERATED", "EXTERNAL"]
_PRICING_MODELS: Final = ["UNKNOWN", "CPM", "CPC"]
_SITE, _APP = b"\x02", b"\x04"
_NULL, _PRESENT = b"\x00", b"\x02"
_FALSE, _TRUE = b"\x00", b"\x01"
_NO_MORE: Final = b"\x00"
_REMEMBERED: Final = 65_536
_ATTRIBUTES: Final = 4


_LOW_BITS: Final = 14
_LOW: Final = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(1 << _LOW_BITS)]
"""The two lowest groups of seven bits, where more follow: all that differs between the times of
eight seconds."""


def avro_long(value: int) -> bytes:
    """Avro's int and long: zigzag, then seven bits a byte."""
    rest = value << 1 if value >= 0 else (~value << 1) | 1
    high = rest >> _LOW_BITS
    if high:
        return _LOW[rest & 0x3FFF] + _groups_of_seven(high)
    return _groups_of_seven(rest)


@lru_cache(_REMEMBERED)
def _groups_of_seven(rest: int) -> bytes:
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_LENGTHS: Final = [avro_long(length) for length in range(0x400)]


def avro_text(value: str) -> bytes:
    """Avro's string: length in bytes, UTF-8."""
    raw = value.encode()
    length = len(raw)
    return (_LENGTHS[length] if length < 0x400 else avro_long(length)) + raw


@lru_cache(_REMEMBERED)
def _known_text(value: str) -> bytes:
    return avro_text(value)


@lru_cache(_REMEMBERED)
def _present_text(value: str) -> bytes:
    return _PRESENT + avro_text(value)


@lru_cache(_REMEMBERED)
def _amount(micros: int) -> bytes:
    return avro_long(micros)


class _Place(NamedTuple):
    """The pieces that C1 to ``app_category``, ``row[3:11]``, decide: few combinations occur."""

    placement: bytes
    """From ``placement_type`` to ``banner_pos``."""
    c1: bytes
    """The attributes up to the entry of C1."""


class _Creative(NamedTuple):
    """The pieces that ``device_type`` to C19, ``row[14:22]``, decide."""

    campaign: bytes
    creative: bytes
    device: bytes
    """``device_type`` and ``connection_type``."""
    size: bytes
    attributes: bytes
    """The entries of C18 and C19, and the key of C20's."""


class _Pieces:
    """What repeats from row to row. Who needs them looks first, and has them made where they are
    not there: a call for each row would cost as much as the look."""

    def __init__(self) -> None:
        self.places: dict[tuple[Any, ...], _Place] = {}
        self.creatives: dict[tuple[Any, ...], _Creative] = {}

    def place(self, row: AdRow) -> _Place:
        """The pieces of where an ad was shown."""
        if len(self.places) >= _REMEMBERED:
            self.places.clear()
        if row.site_id == NO_SITE:
            texts = (row.app_id, row.app_domain, row.app_category)
        else:
            texts = (row.site_id, row.site_domain, row.site_category)
        kind = _APP if row.site_id == NO_SITE else _SITE
        placement = kind + b"".join(map(avro_text, texts)) + avro_long(row.banner_pos)
        c1 = avro_long(_ATTRIBUTES) + avro_text("C1") + avro_text(row.C1)
        place = self.places[row[3:11]] = _Place(placement, c1)
        return place

    def creative(self, row: AdRow) -> _Creative:
        """The pieces of what was shown, and on what kind of device."""
        if len(self.creatives) >= _REMEMBERED:
            self.creatives.clear()
        creative = self.creatives[row[14:22]] = _Creative(
            avro_text(row.C17),
            avro_text(row.C14),
            avro_long(row.device_type) + avro_long(row.device_conn_type),
            _PRESENT + avro_long(row.C15) + _PRESENT + avro_long(row.C16),
            b"".join(map(avro_text, ("C18", row.C18, "C19", row.C19, "C20"))),
        )
        return creative


@dataclass(frozen=True, slots=True)
class WrittenSchema:
    """The version of a topic's schema that is written, and its id in the registry."""

    version: int
    schema_id: int


@dataclass(frozen=True, slots=True)
class WrittenSchemas:
    """The schemas that are written."""

    impressions: WrittenSchema
    clicks: WrittenSchema
    conversions: WrittenSchema


def _pricing(version: int) -> dict[PricingModel, bytes]:
    """The bytes of each pricing model: none where the version has no such field yet."""
    if version < _PRICED_SINCE:
        return dict.fromkeys(PricingModel, b"")
    return {model: avro_long(_PRICING_MODELS.index(model)) for model in PricingModel}


class EventEncoder:
    """Encodes the events of one run. Not thread-safe where ``sent_time`` is not.

    Args:
        source: where the rows come from.
        currency: ISO 4217 code of every amount.
        conversion_type: what a conversion is called.
        sent_time: from the input's time to the event time that is sent.
        schemas: what is written.
    """

    def __init__(
        self,
        source: Source,
        currency: str,
        conversion_type: str,
        sent_time: Callable[[int], int],
        schemas: WrittenSchemas,
    ) -> None:
        self._source = avro_long(_SOURCES.index(source.value))
        self._currency = avro_text(currency)
        self._conversion_type = avro_text(conversion_type)
        self._sent_time = sent_time
        self._pieces = _Pieces()
        self._impression_prefix = wire.pack(schemas.impressions.schema_id, b"")
        self._click_prefix = wire.pack(schemas.clicks.schema_id, b"")
        self._conversion_prefix = wire.pack(schemas.conversions.schema_id, b"")
        self._impression_pricing = _pricing(schemas.impressions.version)
        self._click_pricing = _pricing(schemas.clicks.version)

    def encode(self, occurrence: Occurrence, row: AdRow) -> bytes:
        """The record value of an impression, click or conversion of ``row``."""
        return self.of(occurrence.kind)(occurrence, row)

    def of(self, kind: Kind) -> Callable[[Occurrence, AdRow], bytes]:
        """The encoder of one kind of event."""
        if kind is Kind.IMPRESSION:
            return self._impression
        return self._click if kind is Kind.CLICK else self._conversion

    def _impression(self, occurrence: Occurrence, row: AdRow) -> bytes:
        pieces = self._pieces
        place = pieces.places.get(row[3:11]) or pieces.place(row)
        creative = pieces.creatives.get(row[14:22]) or pieces.creative(row)
        identity = row.id.encode()
        return b"".join(
            (
                self._impression_prefix,
                _LENGTHS[len(identity)],
                identity,
                avro_long(self._sent_time(occurrence.time_ms)),
                _FALSE if row.click is None else _TRUE,
                self._source,
                creative.campaign,
                _known_text(row.C21),
                creative.creative,
                place.placement,
                creative.device,
                creative.size,
                _NULL if row.device_id == NO_DEVICE else _PRESENT + avro_text(row.device_id),
                _PRESENT,
                avro_text(row.device_ip),
                _present_text(row.device_model),
                _amount(occurrence.micros),
                self._currency,
                place.c1,
                creative.attributes,
                _known_text(row.C20),
                _NO_MORE,
                self._impression_pricing[occurrence.pricing_model],
            )
        )

    def _dimensions(self, row: AdRow) -> bytes:
        """From ``source`` to ``connection_type``: the same in all three records."""
        pieces = self._pieces
        place = pieces.places.get(row[3:11]) or pieces.place(row)
        creative = pieces.creatives.get(row[14:22]) or pieces.creative(row)
        return b"".join(
            (
                self._source,
                creative.campaign,
                _known_text(row.C21),
                creative.creative,
                place.placement,
                creative.device,
            )
        )

    def _click(self, occurrence: Occurrence, row: AdRow) -> bytes:
        return b"".join(
            (
                self._click_prefix,
                avro_text(row.id + CLICK_SUFFIX),
                avro_text(row.id),
                avro_long(self._sent_time(occurrence.time_ms)),
                avro_long(self._sent_time(occurrence.impression_ms)),
                self._dimensions(row),
                _amount(occurrence.micros),
                self._currency,
                self._click_pricing[occurrence.pricing_model],
            )
        )

    def _conversion(self, occurrence: Occurrence, row: AdRow) -> bytes:
        if occurrence.click_ms is None:
            click = _NULL + _NULL
        else:
            click = b"".join(
                (
                    _PRESENT,
                    avro_text(row.id + CLICK_SUFFIX),
                    _PRESENT,
                    avro_long(self._sent_time(occurrence.click_ms)),
                )
            )
        return b"".join(
            (
                self._conversion_prefix,
                avro_text(row.id + CONVERSION_SUFFIX),
                avro_text(row.id),
                avro_long(self._sent_time(occurrence.time_ms)),
                avro_long(self._sent_time(occurrence.impression_ms)),
                click,
                self._dimensions(row),
                self._conversion_type,
                avro_long(occurrence.micros),
                self._currency,
            )
        )
