"""`./roas chaos`."""

from __future__ import annotations

import json
import random
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from roas_chaos.plan import plan
from roas_chaos.view import describe
from roas_local.demo import seconds_of
from roas_local.layout import current

_LARGEST_SEED = 1_000_000

app = typer.Typer(add_completion=False)


@app.command()
def main(
    kills: Annotated[int, typer.Option(min=1, help="How many times something is killed.")] = 9,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="The same seed is the same plan. [default: chosen and told]"),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--for",
            metavar="TIME",
            parser=seconds_of,
            help="No kill begins later than this, such as 90s, 10m or 1h.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, the ledger's included.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Plain lines instead of a live screen.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep data and logs also when all went well.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the plan of this seed.")
    ] = False,
) -> None:
    """Kill -9 every part of a running stack, again and again, and check that nothing was lost.

    Starts a stack of its own (folder .roas/chaos, the ports of `up`) and lets ad events flow. Then
    it kills producer, TaskManager, JobManager, ctr-stream, cache-writer, Kafka, Schema Registry,
    PostgreSQL and Redis in a random order, at random moments, some inside open transactions and
    running checkpoints, which a witness confirms. After each kill it waits until windows of events
    that were sent afterwards are in Redis; some kills come on top of others. In the end the ledger
    counts everything again.

    Exit codes: 0 exact, 1 something was lost, doubled or did not recover, 2 wrong usage or
    setting, 3 something needed is not to be had.
    """
    seed = random.randrange(_LARGEST_SEED) if seed is None else seed
    if dry_run:
        _show_plan(kills, seed, as_json)
        return
    from roas_chaos import app as chaos

    request = chaos.Request(
        current().state("chaos"), kills, seed, duration, headless, keep, quiet=as_json
    )
    report = chaos.run(request)
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
    else:
        console = Console()
        for sentence in report.sentences():
            console.print(Text(sentence), soft_wrap=True)
    raise typer.Exit(report.exit_code)


def _show_plan(kills: int, seed: int, as_json: bool) -> None:
    planned = plan(kills, seed)
    if as_json:
        lines = [
            {
                "number": kill.number,
                "target": kill.target,
                "inside": kill.aim,
                "on_top_of_others": not kill.recovered_first,
                "pause_seconds": kill.pause_seconds,
            }
            for kill in planned
        ]
        print(json.dumps({"seed": seed, "kills": lines}, indent=1))
        return
    print(f"seed {seed}")
    for kill in planned:
        print(f"{kill.number:>4}  after {kill.pause_seconds:4.1f} s  {describe(kill)}")
