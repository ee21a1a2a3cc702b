"""Whether the pipeline works again after a kill. Decisions only: no process, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from roas_chaos.plan import Kill, Target
from roas_contracts.redis_layout import WindowSize
from roas_local.demo_feed import Snapshot
from roas_local.state import UnitPhase, UnitState

_SENT_AFTERWARDS_SECONDS: Final = 2.0
"""What the producer had under way at the kill it has committed, or given up, by then."""


@dataclass(frozen=True, slots=True)
class Starts:
    """How often each target was started again, and which of them answer now."""

    restarts: Mapping[Target, int]
    ready: frozenset[Target]


@dataclass(frozen=True, slots=True)
class Wound:
    """A kill that the pipeline has not recovered from yet."""

    kill: Kill
    at: float
    """Of the monotonic clock, seconds."""
    restarts: int
    """Of the target, before."""
    event_clock: int
    """How far the producer had come, epoch milliseconds."""

    def healed(self, starts: Starts, snapshot: Snapshot, speed: float) -> bool:
        """The target is back, and Redis shows a window of events that were sent after the kill.

        Args:
            starts: what the supervisors of the stack and of the producer say.
            snapshot: what Redis shows.
            speed: how many times faster than real time event time runs.
        """
        target = self.kill.target
        if starts.restarts[target] <= self.restarts or target not in starts.ready:
            return False
        minute = WindowSize.ONE_MINUTE
        sent_before = self.event_clock + _SENT_AFTERWARDS_SECONDS * 1000 * speed
        return snapshot.complete_until.get(minute, 0) >= sent_before + minute.millis


def starts(units: Mapping[str, UnitState], producer_restarts: int, producer_runs: bool) -> Starts:
    """The starts of all targets, from the units of the stack and the producer's supervision."""
    restarts = {Target.PRODUCER: producer_restarts}
    ready = {Target.PRODUCER} if producer_runs else set()
    for target in Target:
        unit = units.get(target)
        if unit is not None:
            restarts[target] = unit.restarts
            if unit.phase is UnitPhase.READY:
                ready.add(target)
    return Starts(restarts, frozenset(ready))
