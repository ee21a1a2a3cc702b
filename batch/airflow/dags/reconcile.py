"""Airflow DAG `reconcile`: stream against batch against Kafka, day by day.

Starts when `build_marts` has built days. A difference is an incident with its cause; the parameter
`correct` says whether it is corrected by deltas through the metrics topics.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task  # pants: no-infer-dep

from roas_dags import days
from roas_dags.tasks import (
    MART_DAYS,
    START,
    ask,
    asked_days,
    checked_days,
    closing,
    commands,
    days_parameter,
    defaults,
)


@task
def name_days(params: Any = None, triggering_asset_events: Any = None) -> list[str]:
    """Name the days to compare."""
    named = days.of_events(triggering_asset_events[MART_DAYS]) if triggering_asset_events else []
    return checked_days([*named, *asked_days(params)])


@task(map_index_template="{{ task.op_kwargs['day'] }}", max_active_tis_per_dag=1)
def compare(day: str, params: Any = None) -> None:
    """Compare one day."""
    ask(commands().reconcile(day, correct=bool(params["correct"])), day)


@dag(
    schedule=[MART_DAYS],
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={
        "days": days_parameter(),
        "correct": Param(False, type="boolean", description="Correct what differs."),
    },
    doc_md=__doc__,
)
def reconcile() -> None:
    """Wire the tasks."""
    compare.expand(day=name_days()) >> closing(resolves=False)


reconcile()
