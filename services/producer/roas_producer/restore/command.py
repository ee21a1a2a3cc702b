"""The verb ``restore``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.service.settings import load as load_settings
from roas_producer.restore import running
from roas_producer.restore.archived import Archive
from roas_producer.settings import ProducerSettings


def restore(
    archive: Annotated[Path, typer.Option(metavar="DIR", help="The archive's folder.")],
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", help="Only this topic; repeatable. [default: all event topics]"),
    ] = None,
    topic_ids: Annotated[
        list[str] | None,
        typer.Option(
            "--topic-id",
            metavar="TOPIC=ID",
            help="Which one, where a topic was created anew since: the folders below it.",
        ),
    ] = None,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Also where files are missing.")
    ] = False,
    even_expired: Annotated[
        bool,
        typer.Option(
            "--even-expired", help="Also records that Kafka will delete at once for their age."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fill new, empty topics from the archive: keys, values, headers, timestamps, byte for byte.

    The order within each partition stays; offsets may differ. A run that was interrupted, even by
    kill -9, goes on where it stopped when the same command is given again. Nothing else may write
    to the topics meanwhile.
    """
    settings = load_settings(ProducerSettings)
    if not archive.is_dir():
        raise MisconfigurationError(f"--archive {archive} is no folder")
    unknown = sorted(set(topics or ()) - set(EVENT_TOPICS))
    if unknown:
        raise MisconfigurationError(f"--topic {unknown[0]}: archived are {', '.join(EVENT_TOPICS)}")
    ids = {}
    for each in topic_ids or ():
        topic, separator, chosen = each.partition("=")
        if not separator:
            raise MisconfigurationError(f"--topic-id {each}: write it as TOPIC=ID")
        ids[topic] = chosen
    source = Archive(archive, topics or EVENT_TOPICS, ids)
    columns = (TextColumn("restoring"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=Console(file=sys.stderr), disable=not sys.stderr.isatty(), transient=True
    ) as bar:
        task = bar.add_task("", total=running.total(source))
        done = running.restore(
            source,
            settings,
            lambda count: bar.advance(task, count),
            incomplete=incomplete,
            even_expired=even_expired,
        )
    if as_json:
        sent, found = dict(done.sent), dict(done.found)
        sys.stdout.write(
            json.dumps({"sent": sent, "found": found, "complete": done.complete}) + "\n"
        )
    else:
        for topic in sorted(done.found):
            typer.echo(
                f"{topic}: {done.sent[topic]:,} restored, {done.found[topic]:,} were there before"
            )
    if not done.complete:
        typer.echo("stopped: the same command again goes on", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED)
