"""What a window's row is, and how it is written into a hash value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from roas_contracts.redis_layout.keys import LayoutError, WindowSize, window_key


@dataclass(frozen=True, slots=True)
class Measures:
    """The five additive measures; money in micros (millionths) of the reporting currency."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    cost_micros: int = 0
    revenue_micros: int = 0

    @property
    def ctr(self) -> float | None:
        """Clicks per impression; None where there are no impressions."""
        return self.clicks / self.impressions if self.impressions else None

    def as_tuple(self) -> tuple[int, int, int, int, int]:
        """The measures in the order of the fields."""
        return (
            self.impressions,
            self.clicks,
            self.conversions,
            self.cost_micros,
            self.revenue_micros,
        )

    def __add__(self, other: Measures) -> Measures:
        return Measures(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def __sub__(self, other: Measures) -> Measures:
        return Measures(*(a - b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))


NOTHING: Final = Measures()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTotals:
    """Everything counted for one dimension value in one window: absolute values, not deltas.

    Times are epoch milliseconds: `window_start` is event time, the others are wall clock.
    `revision` grows by one with every committed change of this row.
    """

    size: WindowSize
    dimension: str
    value: str
    window_start: int
    totals: Measures
    late: Measures = NOTHING
    correction: Measures = NOTHING
    revision: int
    first_emitted_at: int
    last_emitted_at: int
    written_at: int

    @property
    def window_end(self) -> int:
        """Exclusive end of the window, epoch milliseconds."""
        return self.window_start + self.size.millis

    @property
    def on_time(self) -> Measures:
        """What was counted when the window closed: the totals less late and corrections."""
        return self.totals - self.late - self.correction

    @property
    def ctr(self) -> float | None:
        """Click-through rate of the totals; None where there are no impressions."""
        return self.totals.ctr


# Values: revision,5 totals|first emitted,last emitted,written|5 late|5 corrections, all decimal;
# an empty third or fourth group is five zeros. Text, so that Lua and a person can read it.


def encode_totals(row: WindowTotals, written_at: int | None = None) -> str:
    """The hash value of a row; size, dimension, value and window start are in key and field.

    Args:
        row: what to write.
        written_at: in place of the row's, for the writer.
    """
    totals = ",".join(map(str, (row.revision, *row.totals.as_tuple())))
    return (
        f"{totals}|{row.first_emitted_at},{row.last_emitted_at},"
        f"{row.written_at if written_at is None else written_at}"
        f"|{_encode_measures(row.late)}|{_encode_measures(row.correction)}"
    )


def _encode_measures(measures: Measures) -> str:
    if measures is NOTHING or measures == NOTHING:
        return ""
    return ",".join(map(str, measures.as_tuple()))


def decode_totals(
    size: WindowSize, dimension: str, window_start: int, value: str, text: str
) -> WindowTotals:
    """The row behind a hash value.

    Raises:
        LayoutError: the text is not what `encode_totals` writes.
    """
    try:
        totals, times, late, correction = text.split("|")
        revision, *measures = map(int, totals.split(","))
        first, last, written = map(int, times.split(","))
        return WindowTotals(
            size=size,
            dimension=dimension,
            value=value,
            window_start=window_start,
            totals=measures_of(measures),
            late=measures_of(map(int, late.split(","))) if late else NOTHING,
            correction=measures_of(map(int, correction.split(","))) if correction else NOTHING,
            revision=revision,
            first_emitted_at=first,
            last_emitted_at=last,
            written_at=written,
        )
    except (ValueError, TypeError):
        key = window_key(size, dimension, window_start)
        raise LayoutError(f"Redis key {key}, field {value!r}: not a version 1 value") from None


def measures_of(numbers: Iterable[int]) -> Measures:
    """Measures from five numbers in the order of the fields; ValueError for another count."""
    impressions, clicks, conversions, cost, revenue = numbers
    return Measures(impressions, clicks, conversions, cost, revenue)
