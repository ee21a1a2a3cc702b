"""From the input's own time to the event time that is sent.

Without ``--rebase`` they are the same. With ``--rebase now`` the first hour starts at the moment
of the first start and time runs ``speed`` times faster, so that what is being sent always carries
the present: ``sent = floor(own / speed) + shift``. The map never decreases, so it keeps the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Timeline:
    """``sent = floor(own / speed) + shift_ms``, milliseconds."""

    speed: Fraction
    shift_ms: int

    def sent(self, own_ms: int) -> int:
        """The event time that is sent for a time of the input."""
        return own_ms * self.speed.denominator // self.speed.numerator + self.shift_ms

    def own_sent_by(self, sent_ms: int) -> int:
        """The newest time of the input of which it is sure that it is sent as ``sent_ms`` or
        before."""
        return (sent_ms - self.shift_ms) * self.speed.numerator // self.speed.denominator

    @staticmethod
    def unchanged() -> Timeline:
        """Event times are sent as they are."""
        return UNCHANGED

    @classmethod
    def starting_at(cls, first_own_ms: int, now_ms: int, speed: Fraction) -> Timeline:
        """``first_own_ms`` is sent as ``now_ms`` and time runs ``speed`` times faster."""
        compressed = cls(speed, 0)
        return cls(speed, now_ms - compressed.sent(first_own_ms))


UNCHANGED: Final = Timeline(Fraction(1), 0)
"""Event times as they are."""
