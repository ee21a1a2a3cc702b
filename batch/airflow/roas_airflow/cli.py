"""`./roas airflow`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from roas_airflow import SERVICE, __version__
from roas_airflow.backfill import FIRST_DAG, Run, days_between
from roas_airflow.client import AirflowClient, password
from roas_airflow.following import follow
from roas_airflow.settings import Settings
from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError
from roas_contracts.service import logs
from roas_contracts.service.settings import load

OWN_VERBS: Final = ("backfill", "login")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The batch's orchestration. Beside the verbs below, everything that Airflow's own "
    "command line knows: `dags list`, `dags trigger`, `tasks clear`, `assets list`, … Airflow "
    "runs when the stack was started with ./roas up --batch. Settings are environment variables "
    "ROAS_AIRFLOW_*. Exit codes: 0 fine, 1 the answer is no (a run failed), 2 wrong usage or "
    "settings, 3 Airflow does not answer, 130 Ctrl-C.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{SERVICE} {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


@app.command()
def backfill(
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First event day (UTC).")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last event day, included.")
    ],
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait for every run that follows; exit code 1 if one fails."),
    ] = False,
    timeout: Annotated[int, typer.Option(min=1, metavar="MINUTES", help="The longest wait.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Rebuild event days: raw tables, then marts, then the comparison with the stream.

    The same days again change nothing. What is in Kafka and not archived yet is archived first.
    """
    days = days_between(first.date(), last.date(), datetime.now(UTC).date())
    with AirflowClient(_settings()) as client:
        run = client.trigger(FIRST_DAG, days)
        if not wait:
            _show([run], as_json)
            return
        runs = follow(client, run, timeout_seconds=timeout * 60, changed=_say_state)
        failed = [run for run in runs if run.state != "success"]
        for bad in failed:
            tasks = ", ".join(client.failed_tasks(bad))
            _say(f"{bad.dag_id}: failed tasks: {tasks}; see ./roas batch incident ls")
    _show(runs, as_json)
    if failed:
        raise typer.Exit(exit_codes.NO)


@app.command()
def login(
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print the password itself.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Say where Airflow's web pages are, and who may log in."""
    settings = _settings()
    shown = {"url": settings.url, "user": settings.user, "password_file": str(settings.passwords)}
    if show_password:
        shown["password"] = password(settings)
    if as_json:
        typer.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        typer.echo(f"{name.replace('_', ' '):<14}{value}")


def pass_through(arguments: Sequence[str]) -> None:
    """Become Airflow's own command line, unless the arguments are for one of the verbs here."""
    if not arguments or arguments[0].startswith("-") or arguments[0] in OWN_VERBS:
        return
    try:
        _become_airflow(arguments)
    except MisconfigurationError as error:
        _say(f"Error: {error}")
        sys.exit(error.exit_code)


def _become_airflow(arguments: Sequence[str]) -> None:
    settings = _settings()
    config = settings.home / "airflow.cfg"
    if not config.is_file():
        raise MisconfigurationError(
            f"ROAS_AIRFLOW_HOME: there is no {config}: ./roas up --batch makes it"
        )
    environment = os.environ | {"AIRFLOW_HOME": str(settings.home), "AIRFLOW_CONFIG": str(config)}
    command = [str(settings.python), "-m", "airflow", *arguments]
    sys.stdout.flush()
    try:
        os.execve(command[0], command, environment)  # noqa: S606
    except OSError as error:
        raise MisconfigurationError(
            f"ROAS_AIRFLOW_PYTHON: {command[0]} can't be started: {error.strerror}"
        ) from None


def _settings() -> Settings:
    logs.configure(SERVICE, __version__)
    if "ROAS_AIRFLOW_HOME" not in os.environ:
        raise MisconfigurationError(
            "ROAS_AIRFLOW_HOME is not set: start the stack with ./roas up --batch"
        )
    return load(Settings)


def _show(runs: Sequence[Run], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"runs": [asdict(run) for run in runs]}))
        return
    for run in runs:
        typer.echo(f"{run.dag_id:<15}{run.state:<10}{run.run_id}")


def _say_state(run: Run) -> None:
    _say(f"{run.dag_id}: {run.state} ({run.run_id})")


def _say(line: str) -> None:
    typer.echo(line, err=True)
