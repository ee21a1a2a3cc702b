"""When a process that ended is started again: pure decisions, no clock and no process."""

from dataclasses import dataclass, replace

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STABLE_AFTER_S = 60.0
"""A process that ran this long counts as healthy: its next end is the first again."""


@dataclass(frozen=True, slots=True)
class RestartHistory:
    """How often a process ended since the start of the stack, and how often in a row."""

    total: int = 0
    in_a_row: int = 0

    def after_end(self, ran_for_s: float) -> "RestartHistory":
        """The history after one more end of a process that ran for so many seconds."""
        row = 1 if ran_for_s >= STABLE_AFTER_S else self.in_a_row + 1
        return replace(self, total=self.total + 1, in_a_row=row)

    @property
    def delay_s(self) -> float:
        """How long to wait before the next start: doubling, bounded."""
        if self.in_a_row == 0:
            return 0.0
        exponent = min(self.in_a_row - 1, 16)
        return min(FIRST_DELAY_S * 2.0**exponent, LONGEST_DELAY_S)
