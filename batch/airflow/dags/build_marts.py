"""Airflow DAG `build_marts`: whole event days in `raw` → tested marts.

Starts when `ingest_events` has built days. Builds exactly these, those that an earlier run did not
get done, and those that a person asked for. A test that fails is an incident with the number of
its failing rows; nothing is published then.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task  # pants: no-infer-dep
from airflow.sdk.exceptions import AirflowSkipException  # pants: no-infer-dep

from roas_dags import days
from roas_dags.incidents import FAILED_NODE, Finding
from roas_dags.outcome import Next
from roas_dags.tasks import (
    MART_DAYS,
    RAW_DAYS,
    START,
    ask,
    asked_days,
    attempt,
    checked_days,
    closing,
    commands,
    days_parameter,
    defaults,
    failure,
)


@task
def name_days(params: Any = None, triggering_asset_events: Any = None) -> list[str]:
    """Name the days to build."""
    named = days.of_events(triggering_asset_events[RAW_DAYS]) if triggering_asset_events else []
    asked = asked_days(params)
    stale = ask(commands().stale(), "")["days"]
    every = checked_days([*named, *asked, *stale])
    if not every:
        raise AirflowSkipException("no day is to be built")
    return every


@task(outlets=[MART_DAYS])
def build(named: Any, *, outlet_events: Any = None) -> None:
    """Build and test the marts of these days."""
    result = attempt(commands().build(named))
    if result.next is not Next.GO_ON:
        failed = [
            Finding(FAILED_NODE, str(node["node"]), {**node, "days": named})
            for node in result.answer.get("failed", ())
        ]
        raise failure(result, ", ".join(named), failed)
    outlet_events[MART_DAYS].extra = {"days": named}


@dag(
    schedule=[RAW_DAYS],
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={"days": days_parameter()},
    doc_md=__doc__,
)
def build_marts() -> None:
    """Wire the tasks."""
    build(name_days()) >> closing(resolves=True)


build_marts()
