"""The DAG files load in Airflow without an error, and keep the promises that all of them make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Airflow's own imports warn about what they will change.
pytestmark = pytest.mark.filterwarnings("default")

DAGS = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as environment:
        # Absolute, and not a person's own: Airflow writes a configuration there.
        environment.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow").absolute()))
        environment.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        environment.setenv("AIRFLOW__CORE__UNIT_TEST_MODE", "True")
        for name in ("INGEST_SCHEDULE", "MAINTAIN_SCHEDULE"):
            environment.delenv(f"ROAS_DAGS_{name}", raising=False)
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(str(DAGS))
        assert bag.import_errors == {}
        yield bag.dags


def test_there_are_these_four(dags: dict[str, Any]) -> None:
    assert sorted(dags) == ["build_marts", "ingest_events", "maintain", "reconcile"]


def test_one_run_at_a_time_and_no_catching_up_on_the_clock(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        assert (dag.max_active_runs, dag.catchup) == (1, False), dag.dag_id


def test_every_task_is_tried_again_with_backoff_and_has_a_limit(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert task.retries == 5, task
            assert task.retry_exponential_backoff, task
            assert task.execution_timeout.total_seconds() == 3_660, task


def test_every_run_is_closed_by_its_report_whatever_happened(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        (last,) = dag.leaves
        assert (last.task_id, last.trigger_rule) == ("report", "all_done"), dag.dag_id


def test_days_go_from_dag_to_dag_by_assets(dags: dict[str, Any]) -> None:
    def publishes(dag_id: str) -> list[str]:
        return [asset.name for task in dags[dag_id].tasks for asset in task.outlets]

    def waits_for(dag_id: str) -> list[str]:
        return [asset.name for asset in dags[dag_id].timetable.asset_condition.objects]

    assert publishes("ingest_events") == waits_for("build_marts") == ["raw_days"]
    assert publishes("build_marts") == waits_for("reconcile") == ["mart_days"]


def test_a_day_is_not_rebuilt_while_a_range_is_missing(dags: dict[str, Any]) -> None:
    ingest = dags["ingest_events"]
    assert ingest.get_task("name_days").upstream_task_ids == {"archive"}
    assert ingest.get_task("name_days").trigger_rule == "none_failed"
    assert ingest.get_task("rebuild").upstream_task_ids == {"name_days"}
