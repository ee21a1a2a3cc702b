"""`./roas demo`: install, start, stream, show that it works, check the ledger, stop."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError, RoasError
from roas_local import control
from roas_local.demo_traffic import generated, replayed
from roas_local.install import default_toolchain
from roas_local.up import StartProgress

_SCREEN_SECONDS = 0.5
_LINE_SECONDS = 5.0
_SETTLE_SECONDS = 30.0
_QUIET_SECONDS = 3.0
_LEDGER_WAIT_SECONDS = 120
# Conversions come hours after their impressions: a file's first windows must still be in Redis
# when its last ones close, so that the totals there are those of the whole file.
_FILE_WINDOWS = ("ROAS_CACHE_WRITER_REDIS_KEPT_WINDOWS_1M", "1440")

_DURATION_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class TrafficError(RoasError):
    """The producer ended with an error; its exit code is passed on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # per instance here


def seconds_of(text: str | None) -> float | None:
    """A duration such as 90s, 2m or 1h in seconds; None for None.

    Raises:
        typer.BadParameter: it is no duration.
    """
    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in _DURATION_UNITS else (text, "s")
    try:
        seconds = float(number) * _DURATION_UNITS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a duration: write it as 90s, 2m or 1h")
    return seconds


def demo(
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Stream a real Avazu file (Kaggle's train or test file, plain or gzip) instead of"
            " generated rows.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="TIME", help="Stop after 90s, 2m, 1h. Without it: until Ctrl-C."
        ),
    ] = None,
    headless: Annotated[
        bool,
        typer.Option(
            "--headless", help="Plain lines instead of a live screen; ends with its input."
        ),
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="How many times faster than real time event time runs."
            " [default: 120; a file as fast as possible]",
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="At most so many impressions.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the demo's data and logs when all went well.")
    ] = False,
) -> None:
    """Start everything, stream ad events and watch their click-through rate, then check it all.

    Uses real Kafka, Flink, PostgreSQL and Redis in a clean folder of their own, .roas/demo, and
    the same ports as `up`. When the stream ends, or on Ctrl-C, the ledger compares what is in
    Kafka, PostgreSQL and Redis; then everything is stopped. The exit code is the ledger's: 0
    exact, 1 something differs.
    """
    seconds = seconds_of(duration)
    if headless and data is None and seconds is None and rows is None:
        raise MisconfigurationError("--headless needs an end: give --for, --rows or --data")
    traffic = (
        generated(seconds, rows, speed) if data is None else replayed(data.resolve(), rows, speed)
    )
    toolchain = default_toolchain()
    folders = _clean_folders(toolchain)
    if data is not None:
        os.environ.setdefault(*_FILE_WINDOWS)
    stderr = Console(stderr=True)
    with _terminable():
        with (
            StartProgress(stderr) as progress,
            control.running(folders, toolchain, progress) as state,
        ):
            progress.__exit__()
            code = _Demo(folders, toolchain, state, traffic, headless).run(seconds)
    if code == exit_codes.OK and not keep:
        shutil.rmtree(folders.root, ignore_errors=True)
    else:
        stderr.print(f"data and logs are in {folders.root}")
    raise typer.Exit(code)
