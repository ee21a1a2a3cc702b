"""Folding deltas: what a batch adds to each row, worked out before any database is asked.

Pure. Deltas are additive, so those of one row are summed here and cost one upsert together. They
are summed in columns: a batch has thousands, and Python's time per delta is what limits us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np

from roas_cache_writer.avro_columns import Int64s
from roas_contracts.errors import MisconfigurationError, PoisonError
from roas_contracts.events import (
    AD_METRICS_1M,
    AD_METRICS_5M,
    AdMetric,
    DeadLetterReason,
    DeltaKind,
)
from roas_contracts.metric_key import TOTAL
from roas_contracts.redis_layout import WindowSize

KINDS: Final = (DeltaKind.ON_TIME, DeltaKind.LATE, DeltaKind.CORRECTION)
MEASURES: Final = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")

LARGEST_SUM: Final = 10**17
"""Largest magnitude of one measure of one delta. The columns are 64-bit: ninety deltas of this
size fit, while one absurd record could otherwise fail every transaction it is part of."""

SIZE_OF_TOPIC: Final = {
    AD_METRICS_1M: WindowSize.ONE_MINUTE,
    AD_METRICS_5M: WindowSize.FIVE_MINUTES,
}
"""The metrics topics and the size of their windows."""

_DAY_MS: Final = 86_400_000
_MEASURES_OF: Final = attrgetter(*MEASURES)
_KIND_INDEX: Final = {kind: index for index, kind in enumerate(KINDS)}
_SAFE: Final = float(1 << 62)
_SEPARATOR: Final = "\0"
"""Between dimension and value in a series' name: the contract's rules let no text have one."""


def series_name(dimension: str, value: str) -> str:
    """One text for a dimension and its value, which orders as the two do."""
    return f"{dimension}{_SEPARATOR}{value}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Deltas of one window size that `check` has passed, in parallel columns."""

    series: list[str]
    """`series_name` of each."""
    window_start: Int64s
    """Epoch milliseconds."""
    kind: Int64s
    """Index into `KINDS`."""
    measures: Int64s
    """A row for each delta, a column for each of `MEASURES`."""
    emitted_at: Int64s
    """Epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What is added to each row of PostgreSQL, in the order of their keys; parallel columns."""

    series: list[tuple[str, str]]
    """Dimension and value."""
    window_start: Int64s
    """Epoch milliseconds."""
    measures: dict[DeltaKind, Int64s]
    """For each kind that occurs, a row for each key, a column for each of `MEASURES`."""
    deltas: dict[DeltaKind, Int64s]
    """For each kind that occurs, how many deltas were added up."""
    first_emitted_at: Int64s
    last_emitted_at: Int64s
    newest_complete: int | None
    """Newest window that an ON_TIME delta of dimension total closes."""

    def __len__(self) -> int:
        return len(self.series)

    @property
    def newest_window(self) -> int:
        """Newest window start."""
        return int(self.window_start.max())

    @property
    def newest_emitted_at(self) -> int:
        """Newest `emitted_at`."""
        return int(self.last_emitted_at.max())

    def days(self) -> list[int]:
        """The distinct UTC days of the rows, as days since 1970-01-01."""
        return [int(day) for day in np.unique(self.window_start // _DAY_MS)]


class Fold:
    """The deltas of one window size in one batch."""

    __slots__ = ("_columns", "_single", "_sums", "size")

    def __init__(self, size: WindowSize) -> None:
        self.size = size
        self._columns: list[Columns] = []
        self._single: list[AdMetric] = []
        self._sums: Sums | None = None

    def add(self, delta: AdMetric) -> None:
        """Add one delta that `check` has passed."""
        self._single.append(delta)
        self._sums = None

    def add_columns(self, columns: Columns) -> None:
        """Add many."""
        self._columns.append(columns)
        self._sums = None

    def sums(self) -> Sums:
        """What all of them add to each row; only of a fold that has deltas.

        Raises:
            MisconfigurationError: absurd deltas, whose sum PostgreSQL could not hold.
        """
        if self._sums is None:
            parts = [*self._columns, *([_columns(self._single)] if self._single else [])]
            self._sums = _summed(parts[0] if len(parts) == 1 else _concatenated(parts))
        return self._sums


def check(size: WindowSize, delta: AdMetric) -> None:
    """What a delta must be for our tables beyond the contract's rules.

    Raises:
        PoisonError: INVALID_FIELD, naming the field.
    """
    if delta.window_start % size.millis:
        raise _invalid("window_start", f"{delta.window_start} does not start a {size} window")
    if delta.window_end != delta.window_start + size.millis:
        raise _invalid("window_end", f"{delta.window_end} does not end a {size} window")
    measures = _MEASURES_OF(delta)
    if max(measures) > LARGEST_SUM or min(measures) < -LARGEST_SUM:
        name, number = max(zip(MEASURES, measures, strict=True), key=lambda pair: abs(pair[1]))
        raise _invalid(name, f"{number} is larger than {LARGEST_SUM}")


def _invalid(field: str, problem: str) -> PoisonError:
    return PoisonError(DeadLetterReason.INVALID_FIELD, f"{field}: {problem}")


def _columns(deltas: Sequence[AdMetric]) -> Columns:
    return Columns(
        [series_name(one.dimension, one.value) for one in deltas],
        np.array([one.window_start for one in deltas], np.int64),
        np.array([_KIND_INDEX[one.kind] for one in deltas], np.int64),
        np.array([_MEASURES_OF(one) for one in deltas], np.int64),
        np.array([one.emitted_at for one in deltas], np.int64),
    )


def _concatenated(parts: Sequence[Columns]) -> Columns:
    return Columns(
        [name for part in parts for name in part.series],
        np.concatenate([part.window_start for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.measures for part in parts]),
        np.concatenate([part.emitted_at for part in parts]),
    )


def _summed(columns: Columns) -> Sums:
    names = sorted(set(columns.series))
    number = {name: index for index, name in enumerate(names)}
    series = np.fromiter(map(number.__getitem__, columns.series), np.int64, len(columns.series))
    order = np.lexsort((series, columns.window_start))
    series, starts = series[order], columns.window_start[order]
    kind, measures, emitted = (
        columns.kind[order],
        columns.measures[order],
        columns.emitted_at[order],
    )
    new = np.empty(len(order), np.bool_)
    new[0] = True
    new[1:] = (starts[1:] != starts[:-1]) | (series[1:] != series[:-1])
    first = np.flatnonzero(new)

    may_overflow = np.abs(measures.astype(np.float64)).sum(axis=0).max() > _SAFE

    def added(of_kind: Int64s) -> Int64s:
        """Summed by key."""
        if len(first) == len(order):
            return of_kind
        if may_overflow:
            return _exactly_added(of_kind, first)
        return np.add.reduceat(of_kind, first, axis=0)

    occurring = [index for index in range(len(KINDS)) if (kind == index).any()]
    totals = [index for index, name in enumerate(names) if name.startswith(TOTAL + _SEPARATOR)]
    closing = starts[np.isin(series, totals) & (kind == 0)]
    pairs = [(dimension, value) for dimension, _, value in (n.partition(_SEPARATOR) for n in names)]
    return Sums(
        series=[pairs[index] for index in series[first].tolist()],
        window_start=starts[first],
        measures={
            KINDS[index]: added(np.where((kind == index)[:, None], measures, 0))
            for index in occurring
        },
        deltas={KINDS[index]: added((kind == index).astype(np.int64)) for index in occurring},
        first_emitted_at=np.minimum.reduceat(emitted, first),
        last_emitted_at=np.maximum.reduceat(emitted, first),
        newest_complete=int(closing.max()) if len(closing) else None,
    )


def _exactly_added(measures: Int64s, first: Int64s) -> Int64s:
    """64-bit sums would turn over silently here, where PostgreSQL refuses them."""
    exact = np.add.reduceat(measures.astype(object), first, axis=0)
    try:
        return exact.astype(np.int64)
    except OverflowError:
        raise MisconfigurationError(
            "the metrics topics hold deltas so large that the sum of a window does not fit 64 "
            "bits: look at what wrote them before they are counted"
        ) from None
