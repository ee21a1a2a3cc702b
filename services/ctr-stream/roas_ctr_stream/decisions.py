"""What to do about the job, decided from what the cluster says. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from roas_ctr_stream.cluster import Job


class Action(StrEnum):
    """What the watcher does next."""

    WATCH = "watch"
    """It is there: running, or Flink is restarting it."""
    SUBMIT = "submit"
    """It is not there, or has failed for good: submit it from the newest checkpoint."""
    STAND_BY = "stand by"
    """Somebody has stopped it: it is not ours to start again."""
    ALARM = "alarm"
    """There are two: every event is counted twice. A person has to cancel one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, and the job that it is about."""

    action: Action
    job: Job | None = None


def decide(jobs: Sequence[Job], submitted: str | None) -> Decision:
    """Decide about the jobs of our name.

    Args:
        jobs: all that the JobManager remembers. A restarted JobManager remembers none.
        submitted: id of the job that this process has submitted or adopted, if any.
    """
    alive = [job for job in jobs if not job.ended]
    if len(alive) > 1:
        return Decision(Action.ALARM, alive[0])
    if alive:
        return Decision(Action.WATCH, alive[0])
    ours = next((job for job in jobs if job.id == submitted), None)
    if ours is not None and ours.state != "FAILED":
        return Decision(Action.STAND_BY, ours)
    return Decision(Action.SUBMIT, ours)


@dataclass(slots=True)
class Backoff:
    """Pauses between attempts, growing until something has worked for a while."""

    first_s: float = 1.0
    longest_s: float = 30.0
    _next_s: float = 0.0

    def pause(self) -> float:
        """Seconds to wait before the next attempt; none before the first."""
        now = self._next_s
        self._next_s = min(max(self.first_s, 2 * now), self.longest_s)
        return now

    def reset(self) -> None:
        """It works: the next attempt need not wait."""
        self._next_s = 0.0
