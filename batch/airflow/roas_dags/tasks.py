"""What the four DAGs share: how a command becomes a task, and the task that closes every run.

Where a parameter of a task is `Any`, Airflow passes it: another task's result, or something of the
run (`params`, `outlet_events`, `triggering_asset_events`), by its name.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Asset, Param, get_current_context, task  # pants: no-infer-dep
from airflow.sdk.exceptions import AirflowException, AirflowFailException  # pants: no-infer-dep

from roas_dags import days, incidents, outcome, tool
from roas_dags.commands import Command, Commands
from roas_dags.incidents import FINDINGS, Ended, Finding
from roas_dags.outcome import Next, Outcome
from roas_dags.settings import dag_settings

RAW_DAYS: Final = Asset("raw_days")
"""Whole event days in `raw`; an event's metadata names them under `days`."""

MART_DAYS: Final = Asset("mart_days")
"""Event days whose marts are built and tested; metadata as for `RAW_DAYS`."""

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Airflow asks for one; nothing depends on it, for no DAG catches up on its clock."""


_ANSWER_MAX_CHARS: Final = 8_000
"""A longer answer of a tool is in the task's log only."""


class TryAgainError(AirflowException):
    """The command failed in a way that time can mend: Airflow tries the task again."""


def commands() -> Commands:
    """The command lines of this deployment."""
    return Commands(dag_settings())


def defaults() -> dict[str, Any]:
    """Arguments of every task."""
    settings = dag_settings()
    return {
        "retries": settings.retries,
        "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(seconds=settings.retry_delay_max_seconds),
        # The tool's own limit comes first: this one is for a task that hangs without a tool.
        "execution_timeout": timedelta(seconds=settings.task_timeout_seconds + 60),
    }


def days_parameter() -> Param:
    """The parameter `days` of a run that a person starts."""
    return Param(
        [], description="Event days (UTC), such as 2014-10-21, in addition.", **days.DAYS_SCHEMA
    )


def ask(command: Command, subject: str) -> dict[str, Any]:
    """Run a command that must succeed; its JSON answer.

    Raises:
        AirflowFailException: it failed and would fail again; a finding about `subject` is left.
        TryAgainError: it may succeed later; on the last try a finding is left.
    """
    result = attempt(command)
    if result.next is Next.GO_ON:
        return result.answer
    raise failure(result, subject)


def attempt(command: Command) -> Outcome:
    """Run a command and judge how it ended."""
    log = logging.getLogger(__name__)
    limit = dag_settings().task_timeout_seconds
    log.info(f"$ {command}")
    finished = tool.run(
        command.argv,
        log.info,
        timeout_seconds=limit,
        program=f"./roas {command.tool}",
    )
    return outcome.judge(command, finished, limit)


def failure(
    result: Outcome, subject: str, findings: Sequence[Finding] = ()
) -> AirflowException | AirflowFailException:
    """The exception that ends the task; what people should know is left behind.

    Args:
        result: how the command ended.
        subject: what it was about: a day, a range.
        findings: what is known more exactly than that the command failed.
    """
    detail: dict[str, Any] = {"why": result.sentence, "exit_code": result.exit_code}
    if len(json.dumps(result.answer)) <= _ANSWER_MAX_CHARS:
        detail["answer"] = result.answer
    leave(findings or [Finding(result.kind, subject, detail)])
    if result.next is Next.RETRY:
        return TryAgainError(result.sentence)
    return AirflowFailException(result.sentence)


def leave(findings: Sequence[Finding]) -> None:
    """Keep findings for the closing task; a later try of this task starts without them."""
    context = get_current_context()
    context["ti"].xcom_push(key=FINDINGS, value=[finding.as_xcom() for finding in findings])


def asked_days(params: Mapping[str, Any]) -> list[str]:
    """Days that a person asked for. Raises AirflowFailException for what are none."""
    return checked_days(params.get("days") or ())


def checked_days(texts: Sequence[object]) -> list[str]:
    """Event days in order, each once. Raises AirflowFailException for what are none."""
    try:
        return days.checked(texts)
    except days.WrongDaysError as error:
        raise AirflowFailException(str(error)) from None


def closing(*, resolves: bool) -> Any:
    """The last task of a DAG, which runs whatever happened before: `report`."""
    return task(trigger_rule="all_done")(report)(resolves)


def report(resolves: bool) -> None:
    """Raise an incident for everything that went wrong in this run.

    Args:
        resolves: whether a run in which nothing went wrong has also done what earlier ones left,
            so that their incidents are over.

    Raises:
        AirflowFailException: something went wrong: the run has failed.
        TryAgainError: the incidents could not be stored now.
    """
    context = get_current_context()
    ti, dag_id, run_id = context["ti"], context["ti"].dag_id, context["run_id"]
    states = ti.get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
    ended = [
        Ended(name, index, state, _findings_of(ti, name, index, state))
        for name, index, state in incidents.parse_states(states)
        if name != ti.task_id
    ]
    raised = incidents.of_run(run_id, ended)
    for name, finding in raised:
        source = f"{dag_id}.{name}"
        result = attempt(
            commands().raise_incident(source, finding.kind, finding.subject, finding.detail)
        )
        if result.next is not Next.GO_ON:
            raise failure(result, finding.subject)
    if resolves and not raised:
        why = f"made good by the run {run_id}"
        result = attempt(commands().resolve_incidents(dag_id, incidents.MADE_GOOD, why))
        if result.next is not Next.GO_ON:
            raise failure(result, "")
    if raised:
        kinds = ", ".join(f"{name}: {finding.kind} {finding.subject}" for name, finding in raised)
        raise AirflowFailException(f"{len(raised)} incidents: {kinds}")


def _findings_of(ti: Any, name: str, index: int, state: str) -> tuple[Finding, ...]:
    if state in ("skipped", "upstream_failed"):
        return ()
    left = ti.xcom_pull(task_ids=name, key=FINDINGS, map_indexes=index)
    return tuple(Finding(**finding) for finding in left or ())
