"""`./roas demo`: the command line. What it does is in `roas_local.demo_session`."""

from pathlib import Path
from typing import Annotated

import typer

_DURATION_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A duration such as 90s, 2m or 1h in seconds. Raises typer.BadParameter for another text."""
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
        float | None,
        typer.Option(
            "--for",
            metavar="TIME",
            parser=seconds_of,
            help="Stop after 90s, 2m, 1h. Without it: until the input ends, or Ctrl-C.",
        ),
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Plain lines instead of a live screen.")
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="How many times faster than real time event time runs."
            " [default: 120; a file: as fast as possible]",
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="At most so many impressions.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the demo's data and logs also when all went well.")
    ] = False,
) -> None:
    """Start everything, stream ad events, watch their click-through rate, check that none is lost.

    Uses real Kafka, Flink, PostgreSQL and Redis in a clean folder, .roas/demo, on the ports of
    `up`. When the stream ends, or on Ctrl-C, the ledger compares what is in Kafka, PostgreSQL and
    Redis; then everything is stopped. Exit codes: the ledger's (0 exact, 1 something differs), 2
    wrong usage or setting, 3 something needed is not to be had.
    """
    from roas_local import demo_session, demo_traffic

    traffic = (
        demo_traffic.generated(duration, rows, speed)
        if data is None
        else demo_traffic.replayed(data.resolve(), rows, speed)
    )
    raise typer.Exit(demo_session.run(traffic, duration, headless=headless, keep=keep))
