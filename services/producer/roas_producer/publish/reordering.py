"""Order for a stream whose rows are out of order by a bounded time.

Pure. A row is held back until no row that may still come can be before it. One that comes later
than the bound allows is let through at once, at the clock's place in the sequence and with its own
event time: consumers count it as late.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from roas_contracts.errors import InputError

T = TypeVar("T")

MOST_HELD: Final = 1_000_000
"""Rows that may be held back."""

_BEFORE_ALL: Final = -(1 << 62)


class Reordering(Generic[T]):
    """Puts items in the order of their times.

    Args:
        bound_ms: how far a row may be behind the newest before it.
        most_held: how many items may be held back.
    """

    def __init__(self, bound_ms: int, most_held: int = MOST_HELD) -> None:
        self._bound_ms = bound_ms
        self._most_held = most_held
        self._held: list[tuple[int, int, T]] = []
        self._count = 0
        self._clock_ms = _BEFORE_ALL
        self.too_late = 0
        """Items that came later than the bound allows."""

    def add(self, time_ms: int, item: T) -> Iterator[tuple[int, T]]:
        """Take an item; what may go on by now, with its place in the sequence.

        Raises:
            InputError: too many items would have to be held back.
        """
        if time_ms < self._clock_ms:
            self.too_late += 1
            yield self._clock_ms, item
            return
        self._count += 1
        heapq.heappush(self._held, (time_ms, self._count, item))
        self._clock_ms = max(self._clock_ms, time_ms - self._bound_ms)
        while self._held and self._held[0][0] <= self._clock_ms:
            yield self._next()
        if len(self._held) > self._most_held:
            raise InputError(
                f"more than {self._most_held:,} rows are within --out-of-order of each other: "
                "make it shorter, or publish a file without it, which is sorted on disk"
            )

    def rest(self) -> Iterator[tuple[int, T]]:
        """What is left at the end."""
        while self._held:
            yield self._next()

    def _next(self) -> tuple[int, T]:
        time_ms, _, item = heapq.heappop(self._held)
        return time_ms, item
