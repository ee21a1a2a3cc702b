"""From a command's outcome to what Airflow does with the task."""

from __future__ import annotations

from typing import Any

import pytest

# Airflow's own imports warn about what they will change.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture()
def tasks(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow").absolute()))
    from roas_dags import tasks

    return tasks


@pytest.fixture()
def left(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    kept: list[Any] = []
    monkeypatch.setattr(tasks, "leave", kept.extend)
    return kept


def outcome(next_: str, **given: Any) -> Any:
    from roas_dags.outcome import Next, Outcome

    fields = {"kind": "k", "sentence": "why", "exit_code": 3, "answer": {"a": 1}}
    return Outcome(Next[next_], **{**fields, **given})


def test_the_answer_of_what_succeeded_is_passed_on(
    tasks: Any, monkeypatch: pytest.MonkeyPatch, left: list[Any]
) -> None:
    monkeypatch.setattr(tasks, "attempt", lambda _: outcome("GO_ON"))
    assert tasks.ask(tasks.commands().plan(), "") == {"a": 1}
    assert left == []


def test_what_time_can_mend_is_left_to_airflows_retries(tasks: Any, left: list[Any]) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    error = tasks.failure(outcome("RETRY"), "2014-10-21")
    assert isinstance(error, tasks.TryAgainError)
    assert not isinstance(error, AirflowFailException)
    assert [(finding.kind, finding.subject) for finding in left] == [("k", "2014-10-21")]


def test_what_it_can_not_mend_is_not_tried_again(tasks: Any, left: list[Any]) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    assert isinstance(tasks.failure(outcome("GIVE_UP"), "x"), AirflowFailException)
    assert left[0].detail == {"why": "why", "exit_code": 3, "answer": {"a": 1}}


def test_an_answer_that_is_too_long_for_an_incident_stays_in_the_log(
    tasks: Any, left: list[Any]
) -> None:
    tasks.failure(outcome("GIVE_UP", answer={"a": "x" * 10_000}), "x")
    assert "answer" not in left[0].detail


def test_what_is_known_more_exactly_replaces_the_general_finding(
    tasks: Any, left: list[Any]
) -> None:
    from roas_dags.incidents import Finding

    exact = Finding("failed_node", "not_null_ctr")
    tasks.failure(outcome("GIVE_UP"), "x", [exact])
    assert left == [exact]


def test_nonsense_that_was_asked_for_fails_at_once(tasks: Any) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="2014-02-30"):
        tasks.asked_days({"days": ["2014-02-30"]})
