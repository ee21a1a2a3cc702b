"""What the verbs that look print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from roas_contracts.events import DeadLetter
from roas_dlq_handler.inspection import Decoding, hex_lines
from roas_dlq_handler.library import Bar
from roas_dlq_handler.output import (
    ID_CHARACTERS,
    base64_text,
    bytes_text,
    milliseconds_text,
    print_json,
    print_listing,
    print_table,
    table,
    time_text,
    where_text,
)

_BARS: Final = 15
_BAR_WIDTH: Final = 30


def show_list(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """`ls`."""
    if as_json:
        print_json(rows)
        return
    print_listing(
        ("id", "failed (UTC)", "state", "reason"),
        [
            (
                str(row["dead_letter_id"])[:ID_CHARACTERS],
                time_text(row["failed_at"]),
                row["state"] + (f" ×{row['replays']}" if row["replays"] else ""),
                row["reason"],
            )
            for row in rows
        ],
        "where, consumer group: detail",
        [f"{where_text(row)}, {row['consumer_group']}: {row['detail']}" for row in rows],
    )


def show_histogram(bars: Sequence[Bar], as_json: bool) -> None:
    """`stats`."""
    if as_json:
        print_json([asdict(bar) for bar in bars])
        return
    total = next((bar.count for bar in bars if bar.dimension == "all"), 0)
    typer.echo(f"{total:,} dead letters")
    for dimension in ("state", "reason", "topic", "service", "time"):
        of_it = [bar for bar in bars if bar.dimension == dimension]
        if dimension == "time":  # The newest of them, in their order.
            of_it = sorted(of_it, key=lambda bar: bar.value)[-_BARS:]
        if not of_it:
            continue
        made = table("time (UTC)" if dimension == "time" else dimension, "count", "")
        largest = max(bar.count for bar in of_it)
        for bar in of_it[:_BARS]:
            width = max(1, round(_BAR_WIDTH * bar.count / largest))
            made.add_row(escape(bar.value), f"{bar.count:,}", "█" * width)
        if len(of_it) > _BARS:
            made.add_row(f"… {len(of_it) - _BARS} more", "", "")
        typer.echo()
        print_table(made)


def show_letter(
    row: Mapping[str, Any],
    letter: DeadLetter,
    decoding: Decoding,
    actions: Sequence[Mapping[str, Any]],
    as_json: bool,
) -> None:
    """`show`."""
    if as_json:
        print_json({**row, **as_export(letter), "decoded": asdict(decoding), "actions": actions})
        return
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    facts = {
        "id": letter.dead_letter_id,
        "state": f"{row['state']}, {row['replays']} replays behind it",
        "reason": f"{letter.reason}: {letter.detail}",
        "where": where_text(row),
        "failed in": f"{letter.consumer_group} ({letter.service} {letter.service_version}, "
        f"{letter.stage})",
        "failed at": time_text(row["first_failed_at"])
        + (f", reported {row['deliveries']} times" if row["deliveries"] > 1 else ""),
        "sent at": milliseconds_text(letter.record_timestamp),
        "replay of": letter.replay_of,
        "key": None if letter.key is None else bytes_text(letter.key),
    }
    for name, value in facts.items():
        if value is not None:
            made.add_row(name, escape(str(value)))
    for header, content in letter.headers:
        text = "null" if content is None else bytes_text(content)
        made.add_row("header", escape(f"{header}: {text}"))
    print_table(made)
    typer.echo(f"\nvalue: {'null' if letter.value is None else f'{len(letter.value):,} bytes'}")
    for line in hex_lines(letter.value or b""):
        typer.echo(line)
    _show_decoding(decoding)
    if actions:
        typer.echo("\nwhat was done about it:")
    for action in actions:
        typer.echo(
            f"  {time_text(action['acted_at'])} {action['action']} by {action['actor']} "
            f"({action['operation_id']}): {action['why'] or 'no reason given'}"
        )


def _show_decoding(decoding: Decoding) -> None:
    if decoding.record is not None:
        typer.echo(f"\ndecoded as {decoding.record}, schema {decoding.schema_id}:")
    for name, value in decoding.fields.items():
        typer.echo(f"  {name}: {value!r}")
    if decoding.stops_at is not None:
        at = "" if decoding.stops_at_byte is None else f" (byte {decoding.stops_at_byte})"
        typer.echo(f"  stops at {decoding.stops_at}{at}: {decoding.why}")


def show_audit(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """`audit`."""
    if as_json:
        print_json(rows)
        return
    print_listing(
        ("operation", "status", "done", "failed again"),
        [
            (
                row["operation_id"],
                row["status"],
                f"{row['done']:,}/{row['selected']:,}",
                f"{row['failed_again']:,}",
            )
            for row in rows
        ],
        "started (UTC), who, topic: why",
        [
            f"{time_text(row['started_at'])}, {row['actor']}, {row['topic']}: "
            f"{row['why'] or 'no reason given'}"
            for row in rows
        ],
    )


def as_export(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as JSON: bytes in base 64, times in ISO 8601."""
    content = asdict(letter)
    content["key"] = base64_text(letter.key)
    content["value"] = base64_text(letter.value)
    content["headers"] = [[name, base64_text(value)] for name, value in letter.headers]
    for name in ("record_timestamp", "first_failed_at", "failed_at"):
        content[name] = milliseconds_text(content[name])
    return content
