"""Sums per window, dimension and value: the shape in which lineages are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from roas_contracts.redis_layout import WindowSize
from roas_ledger.windows import floor

Series: TypeAlias = tuple[str, str]
"""Dimension and value, such as ("placement", "site:1fbe01fe")."""

Cell: TypeAlias = list[int]
"""Five sums in the order of MEASURES."""

WindowRow: TypeAlias = tuple[int, Mapping[Series, Cell]]
"""Window start (epoch milliseconds) and everything counted in that window."""

MEASURES = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
IMPRESSIONS, CLICKS, CONVERSIONS, COST, REVENUE = range(len(MEASURES))
TOTAL: Series = ("total", "all")


class WindowTotals:
    """Sums of one window size, built up while a lineage is read."""

    def __init__(self, size: WindowSize) -> None:
        self.size = size
        self.windows: dict[int, dict[Series, Cell]] = {}
        # One tuple per series, however many windows it appears in: most of the memory otherwise.
        self._series: dict[Series, Series] = {}

    def cell(self, start: int, series: Series) -> Cell:
        """The sums of one window and series, made (all zero) where there are none yet."""
        window = self.windows.get(start)
        if window is None:
            window = self.windows[start] = {}
        cell = window.get(series)
        if cell is None:
            cell = window[self._series.setdefault(series, series)] = [0, 0, 0, 0, 0]
        return cell

    def add(self, start: int, series: Series, values: Cell) -> None:
        """Add five values to one window and series."""
        cell = self.cell(start, series)
        for index, value in enumerate(values):
            cell[index] += value

    def rolled_up(self, size: WindowSize) -> WindowTotals:
        """The same sums in windows of a larger size that this size divides."""
        coarse = WindowTotals(size)
        for start, window in self.windows.items():
            target = floor(size, start)
            for series, values in window.items():
                coarse.add(target, series, values)
        return coarse

    def rows(self) -> Iterator[WindowRow]:
        """Windows in the order of time."""
        for start in sorted(self.windows):
            yield start, self.windows[start]

    def total(self, measure: int, first: int | None = None, end: int | None = None) -> int:
        """One measure of the `total` dimension over windows that start in [first, end)."""
        return sum(
            window[TOTAL][measure]
            for start, window in self.windows.items()
            if TOTAL in window
            and (first is None or start >= first)
            and (end is None or start < end)
        )

    def drop_from(self, start: int) -> None:
        """Forget windows that start at `start` or later."""
        for late in [window for window in self.windows if window >= start]:
            del self.windows[late]

    def series_count(self) -> int:
        """How many (window, dimension, value) there are."""
        return sum(len(window) for window in self.windows.values())


def summed(parts: list[WindowTotals]) -> WindowTotals:
    """The sum of several totals of one size."""
    result = WindowTotals(parts[0].size)
    for part in parts:
        for start, window in part.windows.items():
            for series, values in window.items():
                result.add(start, series, values)
    return result
