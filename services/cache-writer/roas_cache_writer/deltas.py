"""Folding deltas: what a batch adds to each row, worked out before any database is asked.

Pure. Deltas are additive, so those of one row are summed here and cost one upsert together.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Final, NamedTuple

from roas_contracts.errors import PoisonError
from roas_contracts.events import (
    AD_METRICS_1M,
    AD_METRICS_5M,
    AdMetric,
    DeadLetterReason,
    DeltaKind,
)
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

_MEASURES_OF: Final = attrgetter(*MEASURES)
_KIND_INDEX: Final = {kind: index for index, kind in enumerate(KINDS)}
_FIRST: Final = 18
_LAST: Final = 19


class RowKey(NamedTuple):
    """Primary key of a metrics row; `window_start` in epoch milliseconds."""

    window_start: int
    dimension: str
    value: str
    currency: str


class Fold:
    """The sums of one window size in one batch.

    `rows` maps a key to twenty integers: five measures for each kind of `KINDS`, then the number
    of deltas of each kind, then the first and the last `emitted_at` (epoch milliseconds).
    """

    __slots__ = ("size", "rows", "newest_complete")

    def __init__(self, size: WindowSize) -> None:
        self.size = size
        self.rows: dict[RowKey, list[int]] = {}
        self.newest_complete: int | None = None
        """Newest window that an ON_TIME delta of dimension total closes."""

    def add(self, delta: AdMetric) -> None:
        """Add one delta that `check` has passed."""
        key = RowKey(delta.window_start, delta.dimension, delta.value, delta.currency)
        emitted_at = delta.emitted_at
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = [0] * 18 + [emitted_at, emitted_at]
        elif emitted_at < row[_FIRST]:
            row[_FIRST] = emitted_at
        elif emitted_at > row[_LAST]:
            row[_LAST] = emitted_at
        index = _KIND_INDEX[delta.kind]
        base = index * 5
        row[base] += delta.impressions
        row[base + 1] += delta.clicks
        row[base + 2] += delta.conversions
        row[base + 3] += delta.cost_micros
        row[base + 4] += delta.revenue_micros
        row[15 + index] += 1
        if (
            index == 0
            and delta.dimension == "total"
            and (self.newest_complete is None or delta.window_start > self.newest_complete)
        ):
            self.newest_complete = delta.window_start

    @property
    def newest_window(self) -> int:
        """Newest window start; only on a fold that has rows."""
        return max(key.window_start for key in self.rows)

    @property
    def newest_emitted_at(self) -> int:
        """Newest `emitted_at`; only on a fold that has rows."""
        return max(row[_LAST] for row in self.rows.values())

    def days(self) -> Iterator[int]:
        """The distinct UTC days of the rows, as days since 1970-01-01."""
        return iter({key.window_start // 86_400_000 for key in self.rows})


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
