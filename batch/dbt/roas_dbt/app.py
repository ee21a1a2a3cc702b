"""The composition root: a build from the days asked for to the report of what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from roas_contracts.errors import InputError, RoasError, TransientError
from roas_dbt import command, process
from roas_dbt.days_in_postgres import Days
from roas_dbt.results import BuildReport, read_results
from roas_dbt.settings import DbtSettings


class DbtError(RoasError):
    """dbt ended without an account of what it did; its log says why."""


def build(settings: DbtSettings, days: Sequence[date], all_days: bool) -> BuildReport:
    """Build the marts of these days, of all, or (with neither) of those that are stale.

    Each table is replaced day by day in one transaction. A build that is killed is taken up by the
    next: the days it did not finish are kept in PostgreSQL.

    Raises:
        InputError: raw does not hold one of the days whole.
        TransientError: PostgreSQL does not answer, or another build is running.
        MisconfigurationError: a setting is wrong, or the database lacks its tables.
        DbtError: dbt could not begin.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    env = command.environment(settings, os.environ, days, all_days)
    with process.alone(settings.state) as lock, Days(dsn) as known:
        known.claim()
        known.stale()  # The tables have to be there before dbt starts.
        unknown = known.unknown(days)
        if unknown:
            named = ", ".join(day.isoformat() for day in unknown)
            raise InputError(f"--days {named}: raw has no such whole day, ingest it first")
        results = settings.state / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        arguments = [str(settings.program), *command.BUILD]
        exit_code, last_lines = process.run(arguments, env, lock)
        return _report(dsn, results, exit_code, last_lines)


def stale(settings: DbtSettings) -> list[date]:
    """Days that the next build computes; raises as `build`."""
    with Days(settings.postgres_dsn.get_secret_value()) as known:
        return known.stale()


def run_dbt(settings: DbtSettings, arguments: Sequence[str]) -> None:
    """Become dbt with these arguments; raises MisconfigurationError."""
    settings.state.mkdir(parents=True, exist_ok=True)
    env = command.environment(settings, os.environ)
    process.become([str(settings.program), *arguments], env)


def lint(settings: DbtSettings, fix: bool) -> None:
    """Become SQLFluff over the project's SQL; raises MisconfigurationError."""
    program = settings.program.with_name("sqlfluff")
    env = {**os.environ, "PYTHONPATH": ""}
    process.become([str(program), *command.lint_arguments(fix)], env)


def _report(dsn: str, path: Path, exit_code: int, last_lines: Sequence[str]) -> BuildReport:
    if not path.is_file():
        with Days(dsn):
            pass  # Away is the better reason.
        said = last_lines[-1] if last_lines else f"exit code {exit_code}"
        raise DbtError(f"dbt did not build: {said} (its log is in {path.parent.parent / 'logs'})")
    results = json.loads(path.read_text("utf-8"))
    invocation = results["metadata"]["invocation_id"]
    with Days(dsn) as known:
        computed = known.computed(invocation, "source"), known.computed(invocation, "report")
    report = read_results(results, *computed)
    lost = next((failure for failure in report.failed if failure.lost_the_database), None)
    if lost is not None:
        raise TransientError(f"PostgreSQL went away during {lost.node}: {lost.message}")
    return report
