"""The quick way and the general way agree on every record: the general one's word counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roas_cache_writer.batch import Batch, Classifier
from roas_cache_writer.deltas import LARGEST_SUM, SIZE_OF_TOPIC, Fold
from roas_cache_writer.plain import PlainReader
from roas_contracts import wire
from roas_contracts.codec import Codec
from roas_contracts.consuming.dead_letter_limit import DeadLetterLimit
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import AD_METRICS_1M, AdMetric, DeadLetterReason, DeltaKind
from roas_contracts.headers import FOR_GROUP
from roas_contracts.redis_layout import WindowSize
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject

_TOPIC = AD_METRICS_1M
_ID, _OTHER_ID, _FOREIGN_ID = 7, 8, 9
_START = 1_413_849_600_000
_NOW = 1_700_000_000_000
_RULES = Rules(group="cache-writer")
_CODEC = Codec.for_topic(_TOPIC, _ID)


def _delta(**changes: Any) -> AdMetric:
    fields: dict[str, Any] = {
        "dimension": "campaign",
        "value": "c1",
        "window_start": _START,
        "window_end": _START + 60_000,
        "kind": DeltaKind.ON_TIME,
        "impressions": 3,
        "clicks": 1,
        "conversions": 0,
        "cost_micros": 1_234_567,
        "revenue_micros": 0,
        "currency": "USD",
        "emitted_at": _NOW,
        **changes,
    }
    return AdMetric(**fields)


class _Schemas:
    """The contract's schema; the same without docs; one with a field more; no other."""

    def __init__(self) -> None:
        ours = json.loads(load_subject(_TOPIC).latest.text)
        bare = {
            **ours,
            "fields": [{k: v for k, v in f.items() if k != "doc"} for f in ours["fields"]],
        }
        more = {**ours, "fields": [*ours["fields"], {"name": "more", "type": "long", "default": 0}]}
        self._texts = {_ID: json.dumps(ours), 6: json.dumps(bare), _OTHER_ID: json.dumps(more)}
        self.asked: list[int] = []

    def schema(self, schema_id: int) -> str:
        self.asked.append(schema_id)
        if schema_id == _FOREIGN_ID:
            raise TransientError("the registry is away")
        if schema_id not in self._texts:
            raise PoisonError(DeadLetterReason.UNKNOWN_SCHEMA_ID, "unknown")
        return self._texts[schema_id]


@dataclass(frozen=True)
class _Record:
    number: int
    content: bytes | None
    with_headers: list[tuple[str, bytes | None]] | None = None

    def topic(self) -> str:
        return _TOPIC

    def partition(self) -> int:
        return self.number % 2

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.with_headers

    def timestamp(self) -> tuple[int, int]:
        return 1, _NOW


def _classifier(schemas: _Schemas, *, plain: bool, limit: int = 10**6) -> Classifier:
    readers = {_TOPIC: PlainReader(_TOPIC, SIZE_OF_TOPIC[_TOPIC], schemas, _RULES)} if plain else {}
    if plain:
        for known in (_ID, 6, _OTHER_ID):
            readers[_TOPIC].learn(wire.pack(known, b""))
    return Classifier(
        {_TOPIC: Decoder(_TOPIC, schemas, _RULES)},
        readers,
        DeadLetterBuilder("cache-writer", "0.1.0", "cache-writer"),
        DeadLetterLimit("ROAS_CACHE_WRITER_", limit, 1.0),
        lambda: _NOW,
    )


def _never(_: Callable[[], None]) -> None:
    raise AssertionError("nothing had to be waited for")


def _described(batch: Batch) -> object:
    folds = {}
    for size, fold in batch.folds.items():
        sums = fold.sums()
        folds[size] = (
            sums.series,
            sums.window_start.tolist(),
            {kind: numbers.tolist() for kind, numbers in sums.measures.items()},
            {kind: numbers.tolist() for kind, numbers in sums.deltas.items()},
            sums.first_emitted_at.tolist(),
            sums.last_emitted_at.tolist(),
            sums.newest_complete,
        )
    return folds, batch.dead_letters, batch.progress


def _both(records: list[_Record]) -> tuple[Batch, Batch]:
    quick, general = Batch(), Batch()
    _classifier(_Schemas(), plain=True).add_all(quick, records, _never)
    slow = _classifier(_Schemas(), plain=False)
    for record in records:
        slow.add(general, record)
    return quick, general


_numbers = st.one_of(
    st.integers(-3, 300),
    st.sampled_from([LARGEST_SUM, LARGEST_SUM + 1, -LARGEST_SUM, 2**62, 2**63 - 1]),
)
_texts = st.one_of(
    st.sampled_from(["total", "all", "c1", "c2", "", "a\0b", "é" * 128, "é" * 129, "x" * 264]),
    st.text(max_size=4),
)
_times = st.sampled_from(
    [
        _START,
        _START + 60_000,
        _START + 1,
        0,
        1_262_303_940_000,
        1_262_304_000_000,
        _NOW + 600_000,
        _NOW + 600_001,
    ]
)
_deltas = st.builds(
    lambda start, length, **fields: _delta(window_start=start, window_end=start + length, **fields),
    st.one_of(st.just(_START), _times),
    st.sampled_from([60_000, 60_000, 60_000, 300_000, 0, -60_000]),
    dimension=_texts,
    value=_texts,
    kind=st.sampled_from(list(DeltaKind)),
    impressions=_numbers,
    clicks=_numbers,
    conversions=_numbers,
    cost_micros=_numbers,
    revenue_micros=_numbers,
    currency=st.sampled_from(["USD", "USD", "USD", "US", "USDT", "EUR", ""]),
    emitted_at=st.one_of(st.just(_NOW), _times),
)
_values = st.builds(
    lambda delta, schema_id: wire.pack(schema_id, _CODEC.encode(delta)[wire.HEADER_LENGTH :]),
    st.one_of(_deltas, st.builds(_delta, value=st.sampled_from(["c1", "c2"]))),
    st.sampled_from([_ID, _ID, _ID, 6, _OTHER_ID, 1000]),
)


def _damaged(value: bytes, at: int, byte: int, how: str) -> bytes:
    at %= len(value)
    match how:
        case "cut":
            return value[:at]
        case "more":
            return value + bytes([byte])
        case "change":
            return value[:at] + bytes([byte]) + value[at + 1 :]
    return value[:at] + bytes([byte | 0x80]) + value[at:]


_damage = st.builds(
    _damaged,
    _values,
    st.integers(0, 200),
    st.integers(0, 255),
    st.sampled_from(["cut", "more", "change", "insert"]),
)


@given(
    st.lists(
        st.one_of(st.none(), _values, _damage, st.binary(max_size=80)), min_size=1, max_size=12
    )
)
@example([_CODEC.encode(_delta())] * 3)
# A varint in a longer form than it needs is valid Avro: the same row, not a second one.
@example(
    [
        _CODEC.encode(_delta()),
        _CODEC.encode(_delta())[:5] + b"\x90\x00" + _CODEC.encode(_delta())[6:],
    ]
)
# A length that reaches into the next record.
@example(
    [_CODEC.encode(_delta())[:5] + b"\x7e" + _CODEC.encode(_delta())[6:], _CODEC.encode(_delta())]
)
def test_both_ways_make_the_same_of_every_batch(values: list[bytes | None]) -> None:
    quick, general = _both([_Record(number, value) for number, value in enumerate(values)])
    assert _described(quick) == _described(general)


def test_nearly_all_records_go_the_quick_way() -> None:
    reader = PlainReader(_TOPIC, SIZE_OF_TOPIC[_TOPIC], _Schemas(), _RULES)
    values = [_CODEC.encode(_delta(value=f"c{n}", impressions=n)) for n in range(100)]
    assert reader.read(values, _NOW) is None, "a schema is not known before the decoder knows it"
    reader.learn(values[0])
    found = reader.read([*values, b"\0\0\0\0\7", None], _NOW)
    assert found is not None
    assert found.places.tolist() == list(range(100))


@pytest.mark.parametrize("topic", SIZE_OF_TOPIC)
def test_the_newest_version_of_the_contract_can_be_read_the_quick_way(topic: str) -> None:
    assert PlainReader(topic, SIZE_OF_TOPIC[topic], _Schemas(), _RULES).reads_the_newest


def test_another_shape_of_schema_is_left_to_the_decoder() -> None:
    schemas = _Schemas()
    reader = PlainReader(_TOPIC, SIZE_OF_TOPIC[_TOPIC], schemas, _RULES)
    value = wire.pack(_OTHER_ID, _CODEC.encode(_delta())[wire.HEADER_LENGTH :] + b"\0")
    reader.learn(value)
    assert reader.read([value], _NOW) is None
    quick, general = _both([_Record(0, value)])
    assert _described(quick) == _described(general)
    assert quick.progress[_TOPIC, 0].applied == 1


def test_a_record_for_another_group_is_skipped_whatever_it_holds() -> None:
    value = _CODEC.encode(_delta())
    records = [_Record(0, value, [(FOR_GROUP, b"other")]), _Record(1, value, [("x", None)])]
    quick, general = _both(records)
    assert _described(quick) == _described(general)
    assert (quick.progress[_TOPIC, 0].skipped, quick.progress[_TOPIC, 1].applied) == (1, 1)


def test_a_record_whose_schema_can_not_be_had_waits_and_counts_once() -> None:
    schemas = _Schemas()
    classifier, batch = _classifier(schemas, plain=True), Batch()
    good = _CODEC.encode(_delta())
    waits = wire.pack(_FOREIGN_ID, good[wire.HEADER_LENGTH :])
    attempts = []

    def patiently(attempt: Callable[[], None]) -> None:
        attempts.append(attempt)
        with pytest.raises(TransientError):
            attempt()
        schemas._texts[10] = schemas._texts[_ID]
        classifier.add(batch, _Record(1, wire.pack(10, good[wire.HEADER_LENGTH :])))

    classifier.add_all(batch, [_Record(0, good), _Record(1, waits), _Record(2, good)], patiently)
    assert len(attempts) == 1
    assert batch.folds[WindowSize.ONE_MINUTE].sums().deltas[DeltaKind.ON_TIME].tolist() == [3]


def test_poison_in_a_row_is_told_from_poison_among_good_records() -> None:
    good, poison = _CODEC.encode(_delta()), b"poison"
    mixed = [_Record(n, good if n % 3 == 2 else poison) for n in range(30)]
    _classifier(_Schemas(), plain=True, limit=3).add_all(Batch(), mixed, _never)
    in_a_row = [*mixed, *(_Record(n, poison) for n in range(30, 33))]
    with pytest.raises(MisconfigurationError, match="3 records in a row"):
        _classifier(_Schemas(), plain=True, limit=3).add_all(Batch(), in_a_row, _never)


def test_single_deltas_and_columns_add_up() -> None:
    """What both ways find in one batch may be of one row."""
    one, other = _delta(impressions=5), replace(_delta(), kind=DeltaKind.LATE, emitted_at=_NOW - 1)
    quick, _ = _both([_Record(0, _CODEC.encode(one))])
    fold: Fold = quick.folds[WindowSize.ONE_MINUTE]
    fold.add(other)
    sums = fold.sums()
    assert len(sums) == 1
    assert sums.measures[DeltaKind.ON_TIME].tolist() == [[5, 1, 0, 1_234_567, 0]]
    assert sums.measures[DeltaKind.LATE].tolist() == [[3, 1, 0, 1_234_567, 0]]
    assert (sums.first_emitted_at[0], sums.last_emitted_at[0]) == (_NOW - 1, _NOW)
