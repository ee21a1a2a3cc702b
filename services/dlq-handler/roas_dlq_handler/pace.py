"""So many a second, and no more, whatever happened before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_CATCH_UP_SECONDS: Final = 1.0
"""A moment's delay is made up for; an outage of a minute is not, for what followed it would be a
flood."""


class Pace:
    """Says how long to wait.

    Args:
        rate: most a second.
        clock: seconds that only go on.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._next = clock()

    def after(self, count: int) -> float:
        """Seconds to wait now that so many more are done; 0 when it is late already."""
        now = self._clock()
        self._next = max(self._next, now - _CATCH_UP_SECONDS) + count / self._rate
        return max(0.0, self._next - now)
