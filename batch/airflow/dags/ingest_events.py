"""Airflow DAG `ingest_events`: Kafka → archive → whole event days in `raw`.

1. `plan` names the offset ranges that are in Kafka and not in the archive.
2. `archive` keeps one of them, each a task.
3. `name_days` names the days whose archived records are not all in `raw`: what was archived now,
   what an interrupted run left, and what a person asked for.
4. `rebuild` builds one of these days, each a task: whole, or not at all.
5. `publish` names the built days to whoever waits for them.

Records that Kafka deleted before they were archived are an incident; the rest goes on.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task  # pants: no-infer-dep
from airflow.sdk.exceptions import AirflowSkipException  # pants: no-infer-dep

from roas_dags.incidents import Finding
from roas_dags.outcome import Next
from roas_dags.settings import dag_settings
from roas_dags.tasks import (
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
    leave,
)


@task
def plan() -> list[dict[str, Any]]:
    """Name the ranges to archive."""
    result = attempt(commands().plan())
    lost = result.answer.get("lost", [])
    if result.next is Next.GO_ON or lost:
        leave([Finding("lost_records", _name(range_), {"range": range_}) for range_ in lost])
        ranges: list[dict[str, Any]] = result.answer["ranges"]
        return ranges
    raise failure(result, "")


@task(map_index_template="{{ task.op_kwargs['range_']['topic'] }}")
def archive(range_: dict[str, Any]) -> None:
    """Keep one range."""
    ask(commands().archive(range_), _name(range_))


@task(trigger_rule="none_failed")
def name_days(params: Any = None) -> list[str]:
    """Name the days to rebuild."""
    asked = asked_days(params)
    result = attempt(commands().plan())
    if result.next is not Next.GO_ON and "days" not in result.answer:
        raise failure(result, "")
    return checked_days([*asked, *result.answer["days"]])


@task(map_index_template="{{ task.op_kwargs['day'] }}")
def rebuild(day: str) -> str:
    """Build one day of `raw`."""
    ask(commands().rebuild(day), day)
    return day


@task(trigger_rule="all_done", outlets=[RAW_DAYS])
def publish(built: Any, *, outlet_events: Any = None) -> list[str]:
    """Name the days that are built, also when others are not."""
    days = sorted(day for day in built or () if day)
    if not days:
        raise AirflowSkipException("no day was built")
    outlet_events[RAW_DAYS].extra = {"days": days}
    return days


def _name(range_: dict[str, Any]) -> str:
    first, last = range_["from_offset"], range_["to_offset"]
    return f"{range_['topic']}[{range_['partition']}] {first}-{last}"


@dag(
    schedule=dag_settings().ingest_schedule or None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={"days": days_parameter()},
    doc_md=__doc__,
)
def ingest_events() -> None:
    """Wire the tasks."""
    archived = archive.expand(range_=plan())
    days = name_days()
    archived >> days
    published = publish(rebuild.expand(day=days))
    published >> closing(resolves=True)


ingest_events()
