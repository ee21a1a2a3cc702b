"""`./roas batch incident`: what failed and needs a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from roas_batch.incidents import Incident, Incidents
from roas_batch.postgres import connect
from roas_batch.settings import Settings
from roas_contracts import exit_codes
from roas_contracts.errors import InputError
from roas_contracts.service.settings import load

app = typer.Typer(
    no_args_is_help=True,
    help="What failed in the batch and needs a person: raised by the DAGs, read by alerts, "
    "resolved by whoever mended it.",
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_Where = Annotated[str, typer.Option("--source", help="A task (dag.task), or all of a DAG.")]


@app.command("raise")
def raise_command(
    source: Annotated[str, typer.Option(help="Where it happened: dag.task.")],
    kind: Annotated[str, typer.Option(help="What kind of failure, in one word.")],
    subject: Annotated[str, typer.Option(help="What it is about: a day, a range.")] = "",
    detail: Annotated[
        str, typer.Option(metavar="JSON", help="A JSON object; - reads it from stdin.")
    ] = "{}",
    as_json: _Json = False,
) -> None:
    """Open an incident. The same source, kind and subject again count it up."""
    if not source.strip() or not kind.strip():
        raise InputError("--source and --kind must not be empty")
    parsed = _parse_detail(sys.stdin.read() if detail == "-" else detail)
    with _incidents() as incidents:
        _show([incidents.raise_(source, kind, subject, parsed)], as_json)


@app.command("ls")
def list_command(
    source: _Where = "",
    every: Annotated[bool, typer.Option("--all", help="Those that are resolved, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: _Json = False,
) -> None:
    """List open incidents, the last raised first. Exit code 1 when there is none."""
    with _incidents() as incidents:
        found = incidents.newest(source=source, resolved=every, limit=limit)
    if as_json or found:
        _show(found, as_json)
    if not found:
        typer.echo("no incident", err=True)
        raise typer.Exit(exit_codes.NO)


@app.command()
def resolve(
    why: Annotated[str, typer.Option("--why", help="What was done, for the record.")],
    ids: Annotated[list[int] | None, typer.Argument(help="As `ls` shows them.")] = None,
    source: _Where = "",
    kind: Annotated[
        list[str] | None, typer.Option(help="With --source: only of this kind; repeatable.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Close incidents, by their ids or all of a source. Nothing open is nothing to do."""
    if bool(ids) == bool(source):
        raise InputError("name incidents by their ids, or all of a --source")
    if not why.strip():
        raise InputError("--why must not be empty")
    with _incidents() as incidents:
        closed = incidents.resolve(why, ids=ids or (), source=source, kinds=kind or ())
        missing = sorted(set(ids or ()) - {incident.id for incident in closed})
    _show(closed, as_json)
    if missing:
        named = ", ".join(map(str, missing))
        typer.echo(f"not open: {named}", err=True)
        raise typer.Exit(exit_codes.NO)


def _parse_detail(text: str) -> dict[str, Any]:
    try:
        detail = json.loads(text)
    except ValueError as error:
        raise InputError(f"--detail is not JSON: {error}") from None
    if not isinstance(detail, dict):
        raise InputError("--detail is not a JSON object")
    return detail


@contextmanager
def _incidents() -> Iterator[Incidents]:
    settings = load(Settings)
    with closing(connect(settings.postgres_dsn.get_secret_value(), "roas-incidents")) as connection:
        yield Incidents(connection)


def _show(incidents: Sequence[Incident], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"incidents": [_as_json(incident) for incident in incidents]}))
        return
    for incident in incidents:
        state = "resolved" if incident.resolved_at else "open"
        raised = incident.last_raised_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        where = " ".join(filter(None, (incident.source, incident.kind, incident.subject)))
        typer.echo(f"{incident.id:>6}  {state:<9} {raised}  {incident.times}x  {where}")
        if why := incident.resolution or incident.detail.get("why"):
            typer.echo(f"        {why}")


def _as_json(incident: Incident) -> dict[str, Any]:
    times = {
        name: value.isoformat().replace("+00:00", "Z")
        for name in ("raised_at", "last_raised_at", "resolved_at")
        if (value := getattr(incident, name)) is not None
    }
    return asdict(incident) | times
