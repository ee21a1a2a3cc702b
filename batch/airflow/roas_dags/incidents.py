"""What a run of a DAG tells people: decided from how its tasks ended; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

FINDINGS: Final = "findings"
"""XCom key under which a task leaves what people should know, as `Finding.as_xcom`."""

TASK_FAILED: Final = "task_failed"
"""Kind of an incident about a task that could not say itself why it failed."""

FAILED_NODE: Final = "failed_node"
"""Kind of an incident about a model or test of the marts; its day is stale until it passes."""

MADE_GOOD: Final = ("unavailable", "killed", "timeout", TASK_FAILED, FAILED_NODE)
"""Kinds that a later run in which nothing went wrong has made good: it did what was left."""

_FAILED: Final = frozenset({"failed"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know. `subject` is what it is about: a day, a range, a test.

    Raised again while it is open, it counts up instead of being a second one.
    """

    kind: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)

    def as_xcom(self) -> dict[str, Any]:
        """As what Airflow can keep."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one task (one of its mapped instances) of a run ended, and what it left."""

    task_id: str
    map_index: int
    state: str
    findings: tuple[Finding, ...] = ()


def of_run(run_id: str, tasks: Iterable[Ended]) -> list[tuple[str, Finding]]:
    """What is to be raised after a run: findings by task, each with its run's id.

    A task that failed without a word (killed with kill -9 too often) is a finding by itself; one
    that was only not reached is none.
    """
    raised = []
    for task in tasks:
        findings = task.findings
        if not findings and task.state in _FAILED:
            findings = (Finding(TASK_FAILED, _instance(task), {"state": task.state}),)
        for finding in findings:
            detail = {**finding.detail, "run_id": run_id}
            raised.append((task.task_id, Finding(finding.kind, finding.subject, detail)))
    return raised


def parse_states(states: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(task, map index or -1, state) from Airflow's `task` or `task_3` keys of one run.

    Ids of our tasks do not end in an underscore and a number.
    """
    parsed = []
    for key, state in states.items():
        name, _, index = key.rpartition("_")
        mapped = bool(name) and index.isdigit()
        parsed.append((name if mapped else key, int(index) if mapped else -1, str(state)))
    return sorted(parsed)


def _instance(task: Ended) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
