"""The four DAGs by the real scheduler: which tool is called with what, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from airflow_stack import AirflowStack, airflow_stack, wait_for

from roas_contracts.errors import InputError

FIRST, SECOND, THIRD = "2014-10-21", "2014-10-22", "2014-10-23"
PLANNED = [
    {"topic": "ad-clicks", "partition": 0, "from_offset": 0, "to_offset": 10},
    {"topic": "ad-impressions", "partition": 3, "from_offset": 5, "to_offset": 90},
]
LOST = {"topic": "ad-clicks", "partition": 1, "from_offset": 0, "to_offset": 7}
BEFORE = {"ranges": PLANNED, "lost": [], "days": []}
AFTER = {"ranges": [], "lost": [], "days": [SECOND, FIRST]}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowStack]:
    with airflow_stack(tmp_path_factory.mktemp("airflow")) as running:
        yield running


def test_named_ranges_and_days_go_through_all_dags_and_a_killed_task_is_tried_again(
    stack: AirflowStack,
) -> None:
    stack.answer(
        {"words": ["plan"], "answer": BEFORE, "times": 1},
        {"words": ["plan"], "answer": AFTER},
        # Two that time mends: a dependency that is away once, a task that is killed once.
        {"words": ["archive", "ad-clicks"], "exit": 3, "say": "Kafka is away", "times": 1},
        {"words": ["rebuild", SECOND], "sleep": 300, "times": 1},
        {"words": ["stale"], "answer": {"days": [THIRD]}},
    )
    first = stack.client.trigger("ingest_events", [])
    tool = stack.tool_at_work("rebuild", SECOND)
    task = tool.parent()
    assert task is not None
    task.kill()
    wait_for("the killed task's tool ends", lambda: None if tool.is_running() else True)
    runs = stack.follow(first)

    assert {dag: run.state for dag, run in runs.items()} == {
        "ingest_events": "success",
        "build_marts": "success",
        "reconcile": "success",
    }
    assert stack.tries(first, "archive") == [("success", 2), ("success", 1)]
    assert stack.tries(first, "rebuild") == [("success", 1), ("success", 2)]
    assert sorted(stack.calls("archive")) == [
        "batch archive --topic ad-clicks --partition 0 --from 0 --to 10".split(),
        "batch archive --topic ad-clicks --partition 0 --from 0 --to 10".split(),
        "batch archive --topic ad-impressions --partition 3 --from 5 --to 90".split(),
    ]
    assert sorted(stack.calls("rebuild")) == [
        ["batch", "rebuild", "--day", FIRST],
        ["batch", "rebuild", "--day", SECOND],
        ["batch", "rebuild", "--day", SECOND],
    ]
    # The asset's days, and the one that an earlier run had left.
    assert stack.calls("dbt", "build") == [
        ["dbt", "build", "--days", f"{FIRST},{SECOND},{THIRD}"],
    ]
    assert [call[-1] for call in stack.calls("reconcile")] == [FIRST, SECOND, THIRD]
    assert stack.calls("raise") == []
    assert len(stack.calls("incident", "resolve", "ingest_events")) == 1


def test_what_time_does_not_mend_fails_at_once_and_is_an_incident(stack: AirflowStack) -> None:
    failing = {"node": "not_null_ctr", "kind": "test", "failing_rows": 3, "message": "3 rows"}
    stack.answer(
        {"words": ["stale"], "answer": {"days": []}},
        {
            "words": ["dbt", "build"],
            "exit": 1,
            "say": "a test failed",
            "answer": {"failed": [failing]},
        },
    )
    runs = stack.run("build_marts", [FIRST])
    assert {dag: run.state for dag, run in runs.items()} == {"build_marts": "failed"}
    assert stack.tries(runs["build_marts"], "build") == [("failed", 1)]
    (raised,) = stack.calls("incident", "raise")
    assert raised[3:9] == (
        "--source build_marts.build --kind failed_node --subject not_null_ctr".split()
    )
    detail = json.loads(raised[raised.index("--detail") + 1])
    assert (detail["failing_rows"], detail["run_id"]) == (3, runs["build_marts"].run_id)


def test_lost_records_and_a_day_that_fails_are_told_and_the_others_go_on(
    stack: AirflowStack,
) -> None:
    stack.answer(
        {"words": ["plan"], "exit": 1, "answer": {**BEFORE, "lost": [LOST]}, "times": 1},
        {"words": ["plan"], "exit": 1, "answer": {**AFTER, "lost": [LOST]}},
        {"words": ["rebuild", FIRST], "exit": 2, "say": "a file is corrupt"},
        {"words": ["stale"], "answer": {"days": []}},
    )
    runs = stack.run("ingest_events", [THIRD])
    # What was asked for in addition and what is sound goes on to the marts; the run is red.
    assert {dag: run.state for dag, run in runs.items()} == {
        "ingest_events": "failed",
        "build_marts": "success",
        "reconcile": "success",
    }
    assert stack.calls("dbt", "build") == [["dbt", "build", "--days", f"{SECOND},{THIRD}"]]
    raised = sorted(call[4:9:2] for call in stack.calls("incident", "raise"))
    assert raised == [
        ["ingest_events.plan", "lost_records", "ad-clicks[1] 0-7"],
        ["ingest_events.rebuild", "failed", FIRST],
    ]


def test_nothing_to_do_is_done_quietly(stack: AirflowStack) -> None:
    stack.answer({"words": ["plan"], "answer": {"ranges": [], "lost": [], "days": []}})
    runs = stack.run("ingest_events")
    assert {dag: run.state for dag, run in runs.items()} == {"ingest_events": "success"}
    assert stack.calls("archive") == stack.calls("rebuild") == stack.calls("raise") == []


def test_chores_do_not_stop_each_other(stack: AirflowStack) -> None:
    stack.answer({"words": ["vacuum"], "exit": 2, "say": "no such table"})
    runs = stack.run("maintain")
    assert runs["maintain"].state == "failed"
    assert {call[2] for call in stack.calls("maintain")} == {
        *("retention", "registry-backup", "dead-letter-report", "vacuum"),
    }
    assert len(stack.calls("incident", "raise")) == 1


def test_days_that_are_none_are_refused_before_anything_starts(stack: AirflowStack) -> None:
    with pytest.raises(InputError, match="days"):
        stack.client.trigger("ingest_events", ["yesterday"])
