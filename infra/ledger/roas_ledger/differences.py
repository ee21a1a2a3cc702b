"""Differences between lineages, each with its place, and the comparison of windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from roas_contracts.redis_layout import WindowSize
from roas_ledger.totals import MEASURES, Cell, Series
from roas_ledger.windows import iso

_NOTHING: Cell = [0, 0, 0, 0, 0]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which two lineages disagree.

    `expected_from` is the lineage that is taken as true (the one nearer to the events),
    `got_from` the other. `place` is a table, a Redis key, a topic or a record's position.
    The window fields are set where the difference lies in a window.
    """

    check: str
    expected_from: str
    got_from: str
    place: str
    expected: int | str
    got: int | str
    size: str | None = None
    window_start: str | None = None
    dimension: str | None = None
    value: str | None = None
    measure: str | None = None
    detail: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the fields that do not apply."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def sentence(self) -> str:
        """For a person, on one line."""
        where = self.place
        if self.window_start is not None:
            where += f" {self.size} window {self.window_start}"
            where += f" {self.dimension}={self.value} {self.measure}"
        elif self.measure is not None:
            where += f" {self.measure}"
        told = (
            f"{where}: {self.expected_from} says {self.expected}, {self.got_from} says {self.got}"
        )
        return f"{told} ({self.detail})" if self.detail else told


@dataclass(frozen=True, slots=True)
class Span:
    """Windows that can be compared: those that start in [first, end).

    `first` None: from the beginning. `end` comes from the horizon, a window that starts at it or
    later is still open; None: no window is known to be closed.
    """

    first: int | None
    end: int | None

    def holds(self, start: int) -> bool:
        """Whether a window that starts at `start` can be compared."""
        if self.end is None or start >= self.end:
            return False
        return self.first is None or start >= self.first


Place: TypeAlias = Callable[[WindowSize, int, Series], str]
"""Names the table or key in which a lineage keeps a window of a series."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two lineages of one comparison, and how places and measures of it are called."""

    check: str
    expected_from: str
    got_from: str
    place: Place
    measure_prefix: str = ""


def compare_window(
    pair: Pair,
    size: WindowSize,
    start: int,
    expected: Mapping[Series, Cell],
    got: Mapping[Series, Cell],
) -> Iterator[Difference]:
    """Every measure in which two lineages differ within one window.

    A series that one side lacks counts as zeros there.
    """
    for series in sorted(expected.keys() | got.keys()):
        wanted, found = expected.get(series, _NOTHING), got.get(series, _NOTHING)
        if wanted == found:
            continue
        for index, measure in enumerate(MEASURES):
            if wanted[index] != found[index]:
                yield Difference(
                    check=pair.check,
                    expected_from=pair.expected_from,
                    got_from=pair.got_from,
                    place=pair.place(size, start, series),
                    expected=wanted[index],
                    got=found[index],
                    size=size.value,
                    window_start=iso(start),
                    dimension=series[0],
                    value=series[1],
                    measure=pair.measure_prefix + measure,
                    detail=None if series in got else "no such row",
                )


class WindowComparison:
    """Compares two lineages window by window; the second one may be a stream.

    Args:
        pair: the lineages.
        size: window size of both.
        span: the windows that can be compared.
        expected: the first lineage, by window start.
    """

    def __init__(
        self,
        pair: Pair,
        size: WindowSize,
        span: Span,
        expected: Mapping[int, Mapping[Series, Cell]],
    ) -> None:
        self.pair = pair
        self.size = size
        self.found: list[Difference] = []
        self.compared = 0
        self._span = span
        self._expected = expected
        self._seen: set[int] = set()

    def window(self, start: int, got: Mapping[Series, Cell]) -> None:
        """Compare one window of the second lineage. Windows outside the span are passed over."""
        if self._span.holds(start):
            self._seen.add(start)
            self._compare(start, got)

    def finish(self) -> list[Difference]:
        """Name what the second lineage has no window for; return all differences."""
        for start in sorted(self._expected):
            if start not in self._seen and self._span.holds(start):
                self._compare(start, {})
        return self.found

    def _compare(self, start: int, got: Mapping[Series, Cell]) -> None:
        expected = self._expected.get(start, {})
        self.compared += len(expected)
        self.found.extend(compare_window(self.pair, self.size, start, expected, got))
