"""The verbs `maintain …`."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from roas_batch.app import Batch
from roas_batch.maintain import dead_letter_report as letters
from roas_batch.maintain import registry_backup as registry_file
from roas_batch.maintain import retention as old_days
from roas_batch.maintain.vacuum import vacuum as vacuum_all
from roas_batch.postgres import translated
from roas_batch.settings import Settings
from roas_contracts import exit_codes
from roas_contracts.errors import InputError
from roas_contracts.service.settings import load

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

app = typer.Typer(
    no_args_is_help=True,
    help="What has to be done every day so that everything else can go on. Every verb may be "
    "repeated at any time.",
)


@app.command()
def retention(
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many days behind the newest event day are kept. Default: "
            "ROAS_BATCH_RETENTION_DAYS; without it everything is kept.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be dropped; drop nothing.")] = False,
    as_json: _Json = False,
) -> None:
    """Drop day partitions of raw and realtime that are old by event time.

    Never a day that is not archived, not built from all that is archived, or whose archive files
    do not verify: those are named, and the exit code is 1. Marts and the archive are not touched.
    """
    with Batch(load(Settings)) as batch, translated():
        kept_days = batch.settings.retention_days if days is None else days
        found = old_days.Expiry(None, [], [])
        if kept_days is not None:
            checker, catalog = batch.checker(lambda _: None), batch.catalog

            def problem(ranges: Any) -> str | None:
                verdicts = checker.check(ranges, frozenset(), list)
                return next((each.problem for each in verdicts if each.problem), None)

            found = old_days.expiry(
                old_days.partitions(batch.connection),
                catalog.built(),
                catalog.ranges,
                problem,
                kept_days,
            )
        dropped = {} if dry_run else old_days.drop(batch.connection, found.drop)
    report = {
        "days_kept": kept_days,
        "newest_day": found.newest_day,
        "dry_run": dry_run,
        "expired": [each.name for each in found.drop],
        "dropped": dropped,
        "kept": [{"day": each.day, "why": each.why} for each in found.keep],
    }
    lines = [f"{'would drop' if dry_run else 'dropped'}  {each.name}" for each in found.drop]
    lines += [f"keeps  {each.day}: {each.why}" for each in found.keep]
    if kept_days is None:
        lines.append("ROAS_BATCH_RETENTION_DAYS is not set: everything is kept")
    _say(report, lines or ["nothing is old enough"], as_json)
    if found.keep:
        raise typer.Exit(exit_codes.NO)


@app.command("registry-backup")
def registry_backup(
    file: Annotated[
        Path | None,
        typer.Option(
            help="Where to. Default: registry/<UTC date>.json in the archive's folder.",
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Write every schema of the registry, with its id, into a file with a checksum.

    Without it a lost registry makes every record in Kafka and in backups undecodable.
    """
    settings = load(Settings)
    today = datetime.now(UTC).date().isoformat()
    path = file or settings.archive / "registry" / f"{today}.json"
    with closing(registry_file.RegistryFile(settings.registry_url)) as registry:
        content = registry.content()
    if not content["versions"]:
        # An empty file would take the place of a good one.
        raise InputError(f"the registry at {settings.registry_url} is empty: nothing to back up")
    digest = registry_file.write(path, content)
    report = {"file": str(path), "sha256": digest, "versions": len(content["versions"])}
    _say(report, [f"{path}  {report['versions']} versions"], as_json)


@app.command("registry-restore")
def registry_restore(
    file: Annotated[Path, typer.Argument(help="A file of registry-backup.")],
    as_json: _Json = False,
) -> None:
    """Put a backup into an empty registry, every schema under its former id, or say why not."""
    content = registry_file.read(file)
    with closing(registry_file.RegistryFile(load(Settings).registry_url)) as registry:
        how = registry.restore(content)
    report = {"versions": len(content["versions"]), "ids_by": how}
    _say(report, [f"{report['versions']} versions, their ids by {how}"], as_json)


@app.command("dead-letter-report")
def dead_letter_report(as_json: _Json = False) -> None:
    """Dead letters that nobody has resolved: by consumer group, topic and reason, with their age.

    What to do about them: `./roas dlq`.
    """
    with Batch(load(Settings)) as batch, translated():
        found = letters.unresolved(batch.connection)
    total = sum(each["unresolved"] for each in found)
    lines = [
        f"{each['unresolved']:>9,}  {each['consumer_group']} {each['topic']} {each['reason']}, "
        f"oldest {each['oldest']:%Y-%m-%d %H:%M}"
        for each in found
    ]
    _say({"unresolved": total, "by_reason": found}, lines or ["none is unresolved"], as_json)


@app.command()
def vacuum(as_json: _Json = False) -> None:
    """Vacuum and analyze the tables of raw, batch, realtime and errors."""
    with Batch(load(Settings)) as batch, translated():
        done = vacuum_all(batch.connection)
    _say({"tables": done}, [f"{len(done)} tables"], as_json)


def _say(report: dict[str, Any], lines: list[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, default=str, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines))
