"""The ledger's formula, one line per event topic."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from roas_ledger.differences import Difference

CHECK = "balance"


@dataclass(frozen=True, slots=True)
class TopicBalance:
    """Where every committed record of an event topic went.

    `committed` are the records up to the cut plus those that came later into windows that were
    already closed (`arrived_since`). `before` are events in windows that retention has made
    incomparable. The split into on time and late is the stream's own.
    """

    topic: str
    committed: int
    arrived_since: int
    on_time: int
    late: int
    corrections: int
    dead: int
    skipped: int
    heartbeats: int
    open: int
    before: int

    @property
    def accounted(self) -> int:
        """The right-hand side of the formula. A correction stands for what was not counted."""
        return (
            self.on_time
            + self.late
            + self.corrections
            + self.dead
            + self.skipped
            + self.heartbeats
            + self.open
            + self.before
        )

    @property
    def missing(self) -> int:
        """Records that went nowhere (positive) or that were counted too often (negative)."""
        return self.committed - self.accounted

    def difference(self) -> Difference | None:
        """The formula as a difference, None where it holds."""
        if not self.missing:
            return None
        return Difference(
            check=CHECK,
            expected_from="committed records in Kafka",
            got_from="on time + late + dead letters + skipped + heartbeats + open",
            place=self.topic,
            expected=self.committed,
            got=self.accounted,
            detail=(
                f"{self.missing:,} records went nowhere"
                if self.missing > 0
                else f"{-self.missing:,} more were counted than were committed"
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "accounted": self.accounted, "missing": self.missing}
