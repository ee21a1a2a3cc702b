"""Follows a run and all the runs that its assets start, to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from roas_airflow.backfill import Run
from roas_contracts.errors import TransientError

_POLL_SECONDS: Final = 1.0
# The scheduler starts what an asset asks for within a few seconds of the run's end.
_SETTLE_SECONDS: Final = 20.0


class Runs(Protocol):
    """What is asked."""

    def run(self, dag_id: str, run_id: str) -> Run:
        """How a run is doing."""

    def started_by(self, run: Run) -> list[Run] | None:
        """Runs that its assets started; None if it published none."""


def follow(
    runs: Runs,
    first: Run,
    *,
    timeout_seconds: float,
    changed: Callable[[Run], object],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> list[Run]:
    """Wait until a run, and whatever follows from it, is over.

    Args:
        runs: is asked how they are doing.
        first: the run to begin with.
        timeout_seconds: the longest wait in all.
        changed: called with a run each time its state is another.
        clock: monotonic seconds.
        wait: waits some seconds.

    Raises:
        TransientError: they were not over in time.
    """
    deadline = clock() + timeout_seconds
    ended: list[Run] = []
    todo, seen = [first], {(first.dag_id, first.run_id)}
    while todo:
        run = todo.pop(0)
        for state in _states(runs, run, deadline, clock, wait):
            changed(state)
            run = state
        ended.append(run)
        for started in _started(runs, run, clock, wait):
            if (started.dag_id, started.run_id) not in seen:
                seen.add((started.dag_id, started.run_id))
                todo.append(started)
    return ended


def _states(
    runs: Runs,
    run: Run,
    deadline: float,
    clock: Callable[[], float],
    wait: Callable[[float], object],
) -> Iterator[Run]:
    yield run
    while not run.has_ended:
        if clock() > deadline:
            raise TransientError(
                f"{run.dag_id} is still {run.state} (run {run.run_id}): it goes on"
            )
        wait(_POLL_SECONDS)
        now = runs.run(run.dag_id, run.run_id)
        if now.state != run.state:
            yield now
        run = now


def _started(
    runs: Runs, run: Run, clock: Callable[[], float], wait: Callable[[float], object]
) -> list[Run]:
    """Runs that followed; none if nothing was published, or none appears for a while."""
    deadline = clock() + _SETTLE_SECONDS
    while (found := runs.started_by(run)) == [] and clock() < deadline:
        wait(_POLL_SECONDS)
    return found or []
