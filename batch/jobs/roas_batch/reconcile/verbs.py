"""The verb `reconcile`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from roas_batch.app import Batch
from roas_batch.settings import Settings
from roas_contracts import exit_codes
from roas_contracts.service.settings import load

_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(reconcile)


def reconcile(
    day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The UTC event day, 2014-10-21.")
    ],
    correct: Annotated[
        bool,
        typer.Option(
            help="Send CORRECTION deltas for what is missing, doubled or altered in realtime, in "
            "one transaction, and compare again once cache-writer has counted them."
        ),
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds that differences have to last before they count: late events and deltas "
            "take a moment to come through. 0 looks once.",
        ),
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Compare a day of realtime with the batch and with Kafka; name each difference and its cause.

    Per window of one and of five minutes, dimension and value: raw (from the archive), the realtime
    tables and the metrics topics; and the archive's offsets against Kafka's. Windows that the
    stream has not closed are not compared.

    Causes: late and kafka expired are no errors; dead letter, missing, doubled, altered, kafka
    records deleted, archive missing, raw missing and unexplained are. Exit code 0 where the day
    agrees, 1 where it differs, 3 where there is nothing to compare or something does not answer.
    """
    with Batch(load(Settings)) as batch:
        report = batch.reconcile(day.date(), correct=correct, wait_seconds=wait).as_dict()
    if as_json:
        typer.echo(json.dumps(report, indent=1, ensure_ascii=False, default=str))
    else:
        _show(report)
    if report["verdict"] != "agrees":
        raise typer.Exit(exit_codes.NO)


def _show(report: dict[str, Any]) -> None:
    typer.echo(f"{report['day']} {report['verdict']}: {report['compared']:,} figures compared")
    for cause, count in report["causes"].items():
        typer.echo(f"{cause:22} {count:,}")
    for each in report["differences"][:_SHOWN]:
        typer.echo(f"{each['cause']}: {each['place']}: {_figures(each)}")
        for records in each.get("records", []):
            typer.echo(
                f"    {records['topic']}/{records['partition']}@{records['from_offset']}-"
                f"{records['last_offset']}: {records['records']:,} records in the batch"
            )
    if len(report["differences"]) > _SHOWN:
        typer.echo("--json shows more of them", err=True)
    if report["corrections"]:
        typer.echo(f"{report['corrections']:,} corrections sent, and counted by cache-writer")
    elif report["correctable"]:
        typer.echo(f"{report['correctable']:,} can be corrected: --correct", err=True)
    for note in report["notes"]:
        typer.echo(note, err=True)


def _figures(difference: dict[str, Any]) -> str:
    """Both lineages, and what they say: of windows only the measures that differ."""
    one, _, other = difference["says"].partition(", ")
    expected, got = difference["expected"], difference["got"]
    if not isinstance(expected, dict):
        return f"{one} {expected:,}, {other} {got:,}"
    return "; ".join(
        f"{measure} {one} {expected[measure]:,}, {other} {got[measure]:,}"
        for measure in expected
        if expected[measure] != got[measure]
    )
