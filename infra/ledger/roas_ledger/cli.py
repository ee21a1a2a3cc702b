"""`python -m roas_ledger` and `./roas verify`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service import logs
from roas_contracts.service.settings import load
from roas_ledger import __version__
from roas_ledger.app import verify
from roas_ledger.report import Report
from roas_ledger.settings import LedgerSettings
from roas_ledger.view import show

_PIPE_WIDTH = 160

app = typer.Typer(add_completion=False)


@app.command()
def main(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole report as JSON, no difference left out.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds that differences may last before they count: deltas and dead letters"
            " take a moment to come through. It ends earlier when all agree or nothing moves. 0"
            " looks once.",
        ),
    ] = 30.0,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write the JSON report to a file as well."),
    ] = None,
    allow_retention: Annotated[
        bool,
        typer.Option(
            help="Records that Kafka has deleted are no difference; windows they may have belonged"
            " to are left out."
        ),
    ] = False,
) -> None:
    """Check that every lineage of the stream tells the same numbers.

    Reads the event topics and counts them again, and holds that against the dead letters, the
    metrics topics, the PostgreSQL tables and Redis, window by window, up to the newest window
    that is closed for certain. Every difference is named with its place.

    Exit codes: 0 exact, 1 something differs, 2 a setting is wrong, 3 something does not answer.
    """
    logs.configure("ledger", __version__)
    report = _verified(load(LedgerSettings), wait, allow_retention)
    text = json.dumps(report.as_dict(), ensure_ascii=False, indent=1)
    if report_file is not None:
        _write(report_file, text)
    if as_json:
        print(text)
    else:
        console = Console()
        show(report, console if console.is_terminal else Console(width=_PIPE_WIDTH))
    raise typer.Exit(report.exit_code)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n")
    except OSError as error:
        raise MisconfigurationError(
            f"--report {path} can't be written: {error.strerror}"
        ) from error


def _verified(settings: LedgerSettings, wait: float, allow_retention: bool) -> Report:
    """Run the ledger behind a progress bar on stderr."""
    stderr = Console(file=sys.stderr)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as progress:
        task: TaskID = progress.add_task("reading Kafka", total=None)
        return verify(
            settings,
            wait,
            allow_retention,
            begin=lambda total: progress.update(task, total=total),
            advance=lambda count: progress.advance(task, count),
        )
