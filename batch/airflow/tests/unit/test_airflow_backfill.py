"""A backfill: which days, and how its runs are followed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from roas_airflow.backfill import Run, days_between
from roas_airflow.following import follow
from roas_contracts.errors import InputError, TransientError

TODAY = date(2026, 3, 1)


def test_both_ends_are_included() -> None:
    days = days_between(date(2014, 10, 30), date(2014, 11, 1), TODAY)
    assert days == ["2014-10-30", "2014-10-31", "2014-11-01"]


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (date(2014, 10, 31), date(2014, 10, 30), "--from 2014-10-31 is after --to 2014-10-30"),
        (date(2014, 10, 31), date(2026, 3, 2), "in the future"),
        (date(2014, 10, 31), date(2015, 11, 1), "367 days are too many"),
    ],
)
def test_a_nonsensical_range_is_refused_with_a_reason(first: date, last: date, why: str) -> None:
    with pytest.raises(InputError, match=why):
        days_between(first, last, TODAY)


class Airflow:
    """Runs whose states are scripted: each look takes the next one; time passes while waiting."""

    def __init__(self, states: dict[str, Sequence[str]], follows: dict[str, str]) -> None:
        self._states = {dag: list(states_) for dag, states_ in states.items()}
        self._follows = follows
        self.now = 0.0

    def run(self, dag_id: str, run_id: str) -> Run:
        states = self._states[dag_id]
        return Run(dag_id, run_id, states.pop(0) if len(states) > 1 else states[0])

    def started_by(self, run: Run) -> list[Run] | None:
        following = self._follows.get(run.dag_id)
        if following is None:
            return None
        # A little after the run's end, as the real scheduler does.
        return [Run(following, "r", "queued")] if self.now > 5 else []

    def wait(self, seconds: float) -> None:
        self.now += seconds


def follow_all(airflow: Airflow, timeout_seconds: float = 600.0) -> tuple[list[Run], list[str]]:
    seen: list[str] = []
    ended = follow(
        airflow,
        Run("ingest_events", "r", "queued"),
        timeout_seconds=timeout_seconds,
        changed=lambda run: seen.append(f"{run.dag_id} {run.state}"),
        clock=lambda: airflow.now,
        wait=airflow.wait,
    )
    return ended, seen


def test_runs_are_followed_through_their_assets_to_the_end() -> None:
    airflow = Airflow(
        {
            "ingest_events": ["queued", "running", "running", "success"],
            "build_marts": ["running", "success"],
            "reconcile": ["running", "failed"],
        },
        {"ingest_events": "build_marts", "build_marts": "reconcile"},
    )
    ended, seen = follow_all(airflow)
    assert [(run.dag_id, run.state) for run in ended] == [
        ("ingest_events", "success"),
        ("build_marts", "success"),
        ("reconcile", "failed"),
    ]
    assert seen[:3] == ["ingest_events queued", "ingest_events running", "ingest_events success"]


def test_a_run_that_publishes_nothing_ends_the_wait_at_once() -> None:
    airflow = Airflow({"ingest_events": ["success"]}, {})
    ended, _ = follow_all(airflow)
    assert [run.dag_id for run in ended] == ["ingest_events"]
    assert airflow.now == 1  # One look until it had ended, and no wait after that.


def test_the_wait_is_bounded_and_says_what_goes_on() -> None:
    with pytest.raises(TransientError, match="ingest_events is still running"):
        follow_all(Airflow({"ingest_events": ["running"]}, {}), timeout_seconds=30)
