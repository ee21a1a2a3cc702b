"""What came of a build, from dbt's own account of it (run_results.json)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
_LOST_CONNECTION = (
    "connection already closed",
    "connection refused",
    "connection timed out",
    "could not connect",
    "could not receive data",
    "server closed the connection",
    "terminating connection",
    "the database system is",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One model or test that did not end well."""

    node: str
    kind: str
    """model, seed or test."""
    failing_rows: int | None
    """Rows that a test found; null where it did not get so far."""
    message: str

    @property
    def lost_the_database(self) -> bool:
        """Whether PostgreSQL went away, so that another try may succeed."""
        message = self.message.lower()
        return any(sign in message for sign in _LOST_CONNECTION)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did."""

    days: Sequence[date] = ()
    """Days read from raw."""
    changed_days: Sequence[date] = ()
    """Days whose daily figures were computed again: those, and the days of the impressions behind
    their clicks."""
    models: int = 0
    """Models and seeds that were built."""
    tests: int = 0
    """Tests that passed."""
    failed: Sequence[Failure] = ()
    warned: Sequence[Failure] = ()
    skipped: Sequence[str] = ()
    """Nodes that were left out because one before them failed."""
    seconds: float = 0.0
    slowest: Mapping[str, float] = field(default_factory=dict)
    """The five slowest nodes, in seconds."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {
            **asdict(self),
            "days": [day.isoformat() for day in self.days],
            "changed_days": [day.isoformat() for day in self.changed_days],
        }


def read_results(
    results: Mapping[str, Any], days: Sequence[date], changed_days: Sequence[date]
) -> BuildReport:
    """The report of dbt's run_results.json."""
    nodes = [(_kind(each["unique_id"]), each) for each in results["results"]]
    slowest = sorted(nodes, key=lambda node: -node[1]["execution_time"])[:5]
    return BuildReport(
        days=days,
        changed_days=changed_days,
        models=sum(kind != "test" and each["status"] == "success" for kind, each in nodes),
        tests=sum(kind == "test" and each["status"] == "pass" for kind, each in nodes),
        failed=[_failure(kind, each) for kind, each in nodes if each["status"] in _FAILED],
        warned=[_failure(kind, each) for kind, each in nodes if each["status"] == "warn"],
        skipped=[_name(each["unique_id"]) for _, each in nodes if each["status"] == "skipped"],
        seconds=round(results["elapsed_time"], 3),
        slowest={_name(each["unique_id"]): round(each["execution_time"], 3) for _, each in slowest},
    )


def _failure(kind: str, result: Mapping[str, Any]) -> Failure:
    found = result.get("failures")
    rows = found if kind == "test" and result["status"] != "error" else None
    message = " ".join(str(result.get("message") or result["status"]).split())
    return Failure(_name(result["unique_id"]), kind, rows, message)


def _kind(unique_id: str) -> str:
    return unique_id.split(".")[0]


def _name(unique_id: str) -> str:
    # model.roas.NAME, test.roas.NAME.HASH
    return unique_id.split(".")[2]
