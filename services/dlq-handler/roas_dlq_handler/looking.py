"""The verbs that look and change nothing: ls, stats, show, audit, export."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from roas_contracts import exit_codes
from roas_contracts.errors import InputError
from roas_dlq_handler import looking_report
from roas_dlq_handler.app import tool_of_this_process
from roas_dlq_handler.common_options import AsJson
from roas_dlq_handler.filter_options import with_filters
from roas_dlq_handler.inspection import decode_as_far_as_it_goes
from roas_dlq_handler.output import say
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.selection import UNRESOLVED, Selection

_USUAL_BYTES: Final = 16_384
"""Pages of a thousand letters, if they have a usual size."""


class Bucket(StrEnum):
    """How wide the bars of a histogram over time are."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@with_filters(*UNRESOLVED)
def list_command(
    selection: Selection,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first. Exit code 1 when there is none."""
    with tool_of_this_process() as tool:
        rows = tool.library.newest(selection, limit)
    if as_json or rows:
        looking_report.show_list(rows, as_json)
    if len(rows) == limit:
        say(f"the newest {limit:,}: --limit shows more, `stats` counts them all")
    _nothing_unless(bool(rows))


@with_filters(*UNRESOLVED)
def stats(
    selection: Selection,
    by: Annotated[Bucket, typer.Option(help="Width of the bars over time.")] = Bucket.HOUR,
    as_json: AsJson = False,
) -> None:
    """Count dead letters by state, reason, topic, service and time. Exit code 1: there is none."""
    with tool_of_this_process() as tool:
        bars = tool.library.histogram(selection, by)
    found = any(bar.count for bar in bars)
    if as_json or found:
        looking_report.show_histogram(bars, as_json)
    _nothing_unless(found)


def show(
    dead_letter_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    as_json: AsJson = False,
) -> None:
    """Show a dead letter: headers, bytes, decoded as far as it goes and where it stops."""
    with tool_of_this_process() as tool:
        found = tool.library.beginning_with(dead_letter_id)
        if not found:
            raise RefusedError(f"there is no dead letter {dead_letter_id!r}")
        if len(found) > 1:
            raise RefusedError(
                f"more than one dead letter begins with {dead_letter_id!r}: give more of its id"
            )
        row, encoded = found[0]
        letter = tool.decode(encoded)
        decoding = decode_as_far_as_it_goes(letter.value, tool.schemas)
        actions = tool.library.actions(letter.dead_letter_id)
        looking_report.show_letter(row, letter, decoding, actions, as_json)


def audit(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when, why, and what became of it. Exit code 1 when nobody did."""
    with tool_of_this_process() as tool:
        rows = tool.operations.newest(limit)
    if as_json or rows:
        looking_report.show_audit(rows, as_json)
    if not rows:
        say("nothing was ever changed")
        raise typer.Exit(exit_codes.NO)


@with_filters(*UNRESOLVED)
def export(
    selection: Selection,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; stdout where none is named.")
    ] = None,
) -> None:
    """Write whole dead letters as JSON lines (bytes in base 64). Exit code 1: there is none.

    A file has its name only when it is complete.
    """
    count = 0
    with tool_of_this_process() as tool, _writing(output) as write:
        library = tool.library
        for page in library.pages(selection, library.newest_sequence(), _USUAL_BYTES):
            for _, state, encoded in page.letters:
                letter = looking_report.as_export(tool.decode(encoded))
                write.write(json.dumps({**letter, "state": state}) + "\n")
                count += 1
    _nothing_unless(count > 0)
    say(f"{count:,} dead letters written")


def _nothing_unless(found: bool) -> None:
    if not found:
        say("no dead letter matches")
        raise typer.Exit(exit_codes.NO)


@contextmanager
def _writing(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            yield file
        unfinished.replace(output)
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
