"""When a record is due: which event times may be sent by now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from roas_contracts.errors import MisconfigurationError

MAX_REBASED_SPEED = 10_000
"""Above this too many records would share one millisecond of compressed time."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def parse_speed(text: str) -> Fraction | None:
    """``max`` (None), or how many times faster than real time, exactly.

    Raises:
        MisconfigurationError: it is neither.
    """
    cleaned = text.strip().lower()
    if cleaned == "max":
        return None
    cleaned = cleaned.removesuffix("x")
    speed = Fraction(cleaned) if _NUMBER.fullmatch(cleaned) else Fraction(0)
    if speed <= 0:
        raise MisconfigurationError(
            f"--speed {text!r} is not a speed: write max, or a number such as 1 or 200"
        )
    return speed


@dataclass(frozen=True, slots=True)
class Pace:
    """Event time ``anchor_event_ms`` is due at wall clock ``anchor_wall_ms``, then at ``speed``.

    Whatever the speed, nothing is sent before the wall clock reaches its event time: consumers
    refuse events from the future.
    """

    speed: Fraction | None
    anchor_event_ms: int
    anchor_wall_ms: int

    def horizon_ms(self, wall_ms: int) -> int:
        """The newest event time that is due at ``wall_ms``."""
        if self.speed is None:
            return wall_ms
        passed = wall_ms - self.anchor_wall_ms
        paced = self.anchor_event_ms + passed * self.speed.numerator // self.speed.denominator
        return min(wall_ms, paced)

    def wait_ms(self, event_ms: int, wall_ms: int) -> int:
        """How long from ``wall_ms`` until ``event_ms`` is due; 0 if it is."""
        due = event_ms
        if self.speed is not None:
            ahead = event_ms - self.anchor_event_ms
            paced = self.anchor_wall_ms - (-ahead * self.speed.denominator // self.speed.numerator)
            due = max(due, paced)
        return max(0, due - wall_ms)
