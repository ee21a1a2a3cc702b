"""The quick way for what nearly every record is: a delta without fault, in the newest schema.

All records of a batch are looked at together. Those that are beyond doubt are summed; the others,
poison among them, are left to `Classifier.add`, whose judgement is the one that counts. A test
holds the two ways together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from roas_cache_writer.avro_columns import Field, Flags, Int64s, Table, flat_fields, read_table
from roas_cache_writer.deltas import KINDS, LARGEST_SUM, MEASURES, Columns, series_name
from roas_contracts import wire
from roas_contracts.avro_schema import NotAvroError, parse
from roas_contracts.decoder import Schemas
from roas_contracts.events import DeltaKind
from roas_contracts.redis_layout import WindowSize
from roas_contracts.rules import MAX_ID_BYTES, MAX_METRIC_VALUE_BYTES, Rules
from roas_contracts.subjects import load_subject

_REMEMBERED: Final = 200_000
_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PlainDeltas:
    """The deltas found, and which of the values they are, in the same order."""

    places: Int64s
    columns: Columns


class PlainReader:
    """Reads the deltas of one topic. Not thread-safe.

    Args:
        topic: the metrics topic.
        size: of its windows.
        schemas: where writer schemas come from.
        rules: the deployment's bounds.
    """

    def __init__(self, topic: str, size: WindowSize, schemas: Schemas, rules: Rules) -> None:
        schema, _ = parse(json.loads(load_subject(topic).latest.text))
        assert isinstance(schema, dict)
        self._size = size
        self._schemas = schemas
        self._rules = rules
        self._shape = _shape(schema)
        self._fields = flat_fields(schema)
        self._kinds = np.array([_kind_index(symbol) for symbol in _kinds(schema)], np.int64)
        self._currency = rules.currency.encode()
        self._known: dict[bytes, bool] = {}
        """By wire format header."""

    @property
    def reads_the_newest(self) -> bool:
        """Whether the newest version of the contract can be read this way at all."""
        return self._fields is not None

    def read(self, values: Sequence[bytes | None], now_ms: int) -> PlainDeltas | None:
        """The deltas that are beyond doubt; None where there are none.

        Args:
            values: of the records; None for one that is not to be looked at.
            now_ms: the wall clock, milliseconds.
        """
        known, header = self._known, wire.HEADER_LENGTH
        places = [at for at, value in enumerate(values) if value and known.get(value[:header])]
        if not places or self._fields is None:
            return None
        return self._of(self._fields, places, [values[at] or b"" for at in places], now_ms)

    def learn(self, value: bytes) -> None:
        """A record has been decoded the general way: the next of its schema can be read here,
        if that is as ours."""
        header = value[: wire.HEADER_LENGTH]
        if header not in self._known:
            # The decoder has just had it: nobody is asked.
            text = self._schemas.schema(wire.schema_id_of(value))
            self._known[header] = self._is_ours(text)

    def _is_ours(self, text: str) -> bool:
        try:
            schema, _ = parse(json.loads(text))
        except (ValueError, NotAvroError):
            return False
        return isinstance(schema, dict) and _shape(schema) == self._shape

    def _of(
        self, fields: Sequence[Field], places: list[int], values: list[bytes], now_ms: int
    ) -> PlainDeltas | None:
        table = read_table(fields, values, wire.HEADER_LENGTH)
        plain, kind, measures = self._beyond_doubt(table, now_ms)
        series = _series(table, plain)
        chosen = np.flatnonzero(plain)
        if not len(chosen):
            return None
        return PlainDeltas(
            np.array(places, np.int64)[chosen],
            Columns(
                series,
                table.numbers["window_start"][chosen],
                kind[chosen],
                measures[chosen],
                table.numbers["emitted_at"][chosen],
            ),
        )

    def _beyond_doubt(self, table: Table, now_ms: int) -> tuple[Flags, Int64s, Int64s]:
        """Rules 8 to 10 and `deltas.check`, but for dimension and value; kinds and measures."""
        start, end = table.numbers["window_start"], table.numbers["window_end"]
        index = table.numbers["kind"]
        plain = table.readable & table.equal("currency", self._currency)
        newest = now_ms + self._rules.max_ahead_ms
        for time_ms in (start, table.numbers["emitted_at"]):
            plain &= (time_ms >= self._rules.earliest_ms) & (time_ms <= newest)
        plain &= (start % self._size.millis == 0) & (end - start == self._size.millis)
        plain &= (index >= 0) & (index < len(self._kinds))
        kind = self._kinds[np.clip(index, 0, len(self._kinds) - 1)]
        plain &= kind >= 0
        measures = np.stack([table.numbers[name] for name in MEASURES], axis=1)
        # So small that 64 bits hold the sum of all of them.
        largest = min(LARGEST_SUM, _INT64_MAX // len(start))
        lowest = np.where(kind == KINDS.index(DeltaKind.CORRECTION), -largest, 0)
        plain &= (measures.max(axis=1) <= largest) & (measures.min(axis=1) >= lowest)
        return plain, kind, measures


def _series(table: Table, plain: Flags) -> list[str]:
    """The series' names of the plain deltas; one that is not fit takes its delta out of them."""
    dimension, value = table.texts["dimension"], table.texts["value"]
    plain &= (dimension.lengths <= MAX_ID_BYTES) & (value.lengths <= MAX_METRIC_VALUE_BYTES)
    data, names = table.data, []
    for place, at, length, value_at, value_length in zip(
        np.flatnonzero(plain).tolist(),
        dimension.starts[plain].tolist(),
        dimension.lengths[plain].tolist(),
        value.starts[plain].tolist(),
        value.lengths[plain].tolist(),
        strict=True,
    ):
        name = _name(data[at : at + length], data[value_at : value_at + value_length])
        if name is None:
            plain[place] = False
        else:
            names.append(name)
    return names


@lru_cache(_REMEMBERED)
def _name(dimension: bytes, value: bytes) -> str | None:
    if not dimension or not value or b"\0" in dimension or b"\0" in value:
        return None
    try:
        return series_name(dimension.decode(), value.decode())
    except UnicodeDecodeError:
        return None


def _shape(schema: dict[str, Any]) -> list[Any]:
    """What decides how a record's bytes are read: its name, and its fields' names and types."""
    fields = [(field["name"], _bare(field["type"])) for field in schema["fields"]]
    return [schema["type"], schema.get("name"), fields]


def _bare(schema: Any) -> Any:
    """A type without what is said about it."""
    if not isinstance(schema, dict):
        return schema
    return {key: schema[key] for key in ("type", "name", "symbols") if key in schema}


def _kinds(schema: dict[str, Any]) -> list[str]:
    return next(list(f["type"]["symbols"]) for f in schema["fields"] if f["name"] == "kind")


def _kind_index(symbol: str) -> int:
    """Index into `KINDS`; -1 for a kind that we do not count."""
    return next((index for index, kind in enumerate(KINDS) if kind.value == symbol), -1)
