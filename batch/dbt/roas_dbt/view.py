"""A build's report for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.markup import escape

from roas_dbt.results import BuildReport


def show(report: BuildReport, console: Console) -> None:
    """Print what was built, and what failed with how many rows."""
    console.print(f"read     {_days(report.days)}")
    console.print(f"changed  {_days(report.changed_days)}")
    console.print(
        f"built    {report.models} models, {report.tests} tests passed, {report.seconds:.1f} s"
    )
    for failure in (*report.failed, *report.warned):
        rows = "" if failure.failing_rows is None else f", {failure.failing_rows} rows"
        verdict = "FAILED" if failure in report.failed else "warned"
        console.print(
            f"{verdict}   {failure.kind} {failure.node}{rows}: {escape(failure.message)}",
            highlight=False,
            soft_wrap=True,
        )
    if report.skipped:
        console.print(f"left out {', '.join(report.skipped)}", soft_wrap=True)


def _days(days: Sequence[date]) -> str:
    if len(days) <= 10:
        return ", ".join(day.isoformat() for day in days) or "nothing: no day was stale"
    return f"{len(days)} days, {days[0]} to {days[-1]}"
