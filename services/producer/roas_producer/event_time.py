"""When a row of an hour happened: Avazu says only the hour, so it is spread over it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roas_producer.rows import HOUR_MS


def spread(start_ms: int, index: int, count: int) -> int:
    """Event time of the ``index``-th (from 0) of ``count`` rows of the hour at ``start_ms``.

    Deterministic, non-decreasing in ``index``, and always inside the hour. Milliseconds.
    """
    return start_ms + index * HOUR_MS // count


@dataclass(frozen=True, slots=True)
class SpreadTimes:
    """All rows of an hour, bad ones included, spread over it: what is corrected later has kept
    its place, and moves no other row."""

    start_ms: int
    count: int
    """Good and bad rows."""
    bad_places: Sequence[int]
    """Of each bad row among all rows of the hour, from 0, rising."""

    def good(self) -> Iterator[int]:
        """Of each good row."""
        places = iter(self.bad_places)
        next_bad = next(places, -1)
        for place in range(self.count):
            if place == next_bad:
                next_bad = next(places, -1)
            else:
                yield spread(self.start_ms, place, self.count)

    def bad(self) -> Iterator[int]:
        """Of each bad row."""
        return (spread(self.start_ms, place, self.count) for place in self.bad_places)


class GivenTimes:
    """Times that an errata file has kept, moved into the hour that the row says now."""

    def __init__(self) -> None:
        self._good = array("q")
        self._bad = array("q")

    def add(self, time_ms: int, *, is_bad: bool) -> None:
        """The time of the next good, or bad, row."""
        (self._bad if is_bad else self._good).append(time_ms)

    def within(self, start_ms: int) -> ClampedTimes:
        """As the times of the hour at ``start_ms``."""
        return ClampedTimes(start_ms, self._good, self._bad)


@dataclass(frozen=True, slots=True)
class ClampedTimes:
    """Given times, not outside their hour and never falling."""

    start_ms: int
    good_ms: Sequence[int]
    bad_ms: Sequence[int]

    def good(self) -> Iterator[int]:
        """Of each good row."""
        return self._clamped(self.good_ms)

    def bad(self) -> Iterator[int]:
        """Of each bad row."""
        return self._clamped(self.bad_ms)

    def _clamped(self, times: Sequence[int]) -> Iterator[int]:
        newest = self.start_ms
        for time_ms in times:
            newest = max(newest, min(time_ms, self.start_ms + HOUR_MS - 1))
            yield newest
