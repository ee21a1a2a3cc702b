"""Verbs of the archive and of raw: plan, archive, rebuild, verify-archive, and two decisions."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from roas_batch.app import Batch
from roas_batch.display import counting
from roas_batch.planning import Range, Span
from roas_batch.settings import Settings
from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.service.settings import load

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_Topic = Annotated[str, typer.Option(help=f"One of {', '.join(EVENT_TOPICS)}.")]
_Partition = Annotated[int, typer.Option(min=0, help="Kafka partition.")]
_From = Annotated[int, typer.Option("--from", min=0, help="First offset.")]
_To = Annotated[int, typer.Option("--to", min=1, help="First offset behind the range.")]
_DAY_FORMATS = ["%Y-%m-%d"]


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(plan)
    app.command()(archive)
    app.command()(rebuild)
    app.command("verify-archive")(verify_archive)
    app.command("accept-loss")(accept_loss)
    app.command()(retire)


def plan(as_json: _Json = False) -> None:
    """Say what is to do: ranges to archive, days to rebuild, and what is lost.

    Lost are records that Kafka deleted before they were archived. Exit code 1 where there are any
    that nobody has accepted (`accept-loss`); the rest of the plan holds all the same.
    """
    with Batch(load(Settings)) as batch:
        found, days = batch.plan(), batch.stale_days()
    if as_json:
        _print(
            {
                "ranges": [asdict(each) for each in found.ranges],
                "lost": [asdict(each) for each in found.lost],
                "days": days,
            }
        )
    else:
        for each in found.lost:
            typer.echo(f"lost     {_named(each)}")
        for each in found.ranges:
            typer.echo(f"archive  {_named(each)}")
        for day in days:
            typer.echo(f"rebuild  {day}")
        if not (found.lost or found.ranges or days):
            typer.echo("nothing to do", err=True)
    if found.lost:
        typer.echo(
            "records were deleted before they were archived: restore them, or `accept-loss`",
            err=True,
        )
        raise typer.Exit(exit_codes.NO)


def archive(
    topic: _Topic,
    partition: _Partition,
    first: _From,
    end: _To,
    as_json: _Json = False,
) -> None:
    """Archive a range of offsets: what of it is not archived yet.

    Large ranges become several files. Prints the event days that new files touch.
    """
    with Batch(load(Settings)) as batch, counting("archiving", end - first) as progress:
        done = batch.archive(topic, partition, Span(first, end), progress)
    days = [day.isoformat() for day in done.days]
    if as_json:
        files = [each.file for each in done.files]
        _print({"files": files, "records": done.records, "days": days})
        return
    if not done.files:
        typer.echo("archived before: nothing to do", err=True)
    for file in done.files:
        typer.echo(f"{file.file}  {file.events:,} events, {file.poison:,} poison")
    for day in days:
        typer.echo(f"touches  {day}")


def rebuild(
    day: Annotated[
        datetime, typer.Option(formats=_DAY_FORMATS, help="The UTC event day, 2014-10-21.")
    ],
    force: Annotated[bool, typer.Option(help="Also where nothing has changed.")] = False,
    fewer: Annotated[
        bool, typer.Option(help="Also where the day comes out smaller than it is.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Build a day of raw from the archive, all three tables at once; until then it stays as it was.

    Says so where nothing has changed. Duplicate event ids are reported and kept.
    """
    which = day.date()
    with Batch(load(Settings)) as batch:
        expected = sum(each.events for each in batch.catalog.ranges(which))
        with counting(f"building {which}", expected) as progress:
            built = batch.rebuilder(progress).rebuild(which, force=force, fewer=fewer)
    if as_json:
        _print({"changed": built.changed, **asdict(built.day), "day": which.isoformat()})
        return
    its = built.day
    if not built.changed:
        typer.echo("built from the same records before: nothing to do", err=True)
    typer.echo(
        f"{which}  {its.impressions:,} impressions, {its.clicks:,} clicks, "
        f"{its.conversions:,} conversions, {its.poison:,} poison"
    )
    doubled = its.duplicate_impressions + its.duplicate_clicks + its.duplicate_conversions
    if doubled:
        typer.echo(
            f"duplicate event ids, kept: {its.duplicate_impressions:,} impressions, "
            f"{its.duplicate_clicks:,} clicks, {its.duplicate_conversions:,} conversions"
        )


def verify_archive(
    day: Annotated[
        datetime | None,
        typer.Option(formats=_DAY_FORMATS, help="Only files with events of this UTC day."),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="So many files are compared with Kafka, where it has them.")
    ] = 2,
    seed: Annotated[int | None, typer.Option(help="Which ones [default: others each day].")] = None,
    as_json: _Json = False,
) -> None:
    """Check every file's checksums, compare a sample with Kafka. Exit code 1: one is damaged."""
    with Batch(load(Settings)) as batch:
        ranges = batch.catalog.ranges(None if day is None else day.date())
        chosen = random.Random(datetime.now(UTC).toordinal() if seed is None else seed)
        files = sorted(each.file for each in ranges)
        sampled = frozenset(chosen.sample(files, min(sample, len(files))))
        with counting("checking files", len(ranges)) as progress:
            checker = batch.checker(progress)
            verdicts = checker.check(ranges, sampled, lambda: batch.kafka.logs(EVENT_TOPICS))
        strangers = checker.strangers(batch.catalog.every_file())
    damaged = [each for each in verdicts if each.problem is not None]
    compared = sum(each.compared for each in verdicts)
    if as_json:
        _print(
            {
                "files": len(verdicts),
                "compared": compared,
                "damaged": [{"file": d.file, "problem": d.problem} for d in damaged],
                "not_in_catalog": strangers,
            }
        )
    else:
        for each in damaged:
            typer.echo(f"damaged  {each.problem}")
        for name in strangers:
            typer.echo(f"unknown  {name}: left by a run that was killed; it will be written again")
        typer.echo(
            f"{len(verdicts):,} files, {compared} compared with Kafka, {len(damaged)} damaged"
        )
    if damaged:
        raise typer.Exit(exit_codes.NO)


def accept_loss(
    topic: _Topic,
    partition: _Partition,
    first: _From,
    end: _To,
    why: Annotated[str, typer.Option(help="What happened, for those who ask later.")],
) -> None:
    """Note that these offsets are lost for good, as `plan` named them: it is silent then."""
    if first >= end or not why.strip():
        raise MisconfigurationError("--from must be below --to, and --why must say something")
    with Batch(load(Settings)) as batch:
        log = batch.log(topic, partition)
        if end > log.start:
            raise MisconfigurationError(
                f"Kafka still has {topic}[{partition}] from {log.start} on: archive it instead"
            )
        batch.catalog.accept_loss(log.topic_id, topic, partition, Span(first, end), why)


def retire(
    topic: _Topic,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Give up a topic that there is no more, such as after a restore into a new one.

    Its files stay and build no day any more; the new topic is archived from its beginning. Days
    stay as they are until the archive has at least as much of them.
    """
    with Batch(load(Settings)) as batch:
        known = [each for each in batch.catalog.known([topic]) if each.cluster_id is not None]
        here = {log.topic_id for log in batch.kafka.logs([topic])}
        if any(each.topic_id in here for each in known):
            raise MisconfigurationError(
                f"{topic} is the topic that was archived: nothing to retire"
            )
        if not yes:
            typer.echo(f"{len(known)} files of {topic} would be retired: --yes does it")
            return
        typer.echo(f"{batch.catalog.retire(topic)} files of {topic} are retired")


def _named(each: Range) -> str:
    return f"{each.topic}[{each.partition}] {each.from_offset} to {each.to_offset - 1}"


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, default=date.isoformat))
