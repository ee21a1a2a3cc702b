"""Answers on stdout: tables for people, JSON for scripts. Everything else goes to stderr."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from roas_contracts.events import DeadLetter, DeadLetterAction
from roas_dlq_handler.inspection import Decoding, hex_lines
from roas_dlq_handler.library import Bar, Kind
from roas_dlq_handler.operation import Result
from roas_dlq_handler.operations import Operation
from roas_dlq_handler.repair import Repaired

_BARS: Final = 15
_BAR_WIDTH: Final = 30


def progress_bar() -> Progress:
    """A bar on stderr; silent where nobody watches a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def say(sentence: str) -> None:
    """A word for a person, on stderr."""
    typer.echo(sentence, err=True)


def print_json(content: Any) -> None:
    """JSON on stdout."""
    typer.echo(json.dumps(content, indent=2, default=_plain))


def show_list(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """`ls`."""
    if as_json:
        print_json(rows)
        return
    table = _table("id", "failed (UTC)", "state", "reason", "where", "group", "detail")
    for row in rows:
        table.add_row(
            str(row["dead_letter_id"]),
            _time(row["failed_at"]),
            row["state"] + (f" ×{row['replays']}" if row["replays"] else ""),
            row["reason"],
            _where(row),
            row["consumer_group"],
            escape(row["detail"][:60]),
        )
    _print(table)


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
        table = _table(dimension, "count", "")
        largest = max(bar.count for bar in of_it)
        for bar in of_it[:_BARS]:
            width = max(1, round(_BAR_WIDTH * bar.count / largest))
            table.add_row(escape(bar.value), f"{bar.count:,}", "█" * width)
        if len(of_it) > _BARS:
            table.add_row(f"… {len(of_it) - _BARS} more", "", "")
        _print(table)


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
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    facts = {
        "id": letter.dead_letter_id,
        "state": f"{row['state']}, {row['replays']} replays behind it",
        "reason": f"{letter.reason}: {letter.detail}",
        "where": _where(row),
        "failed in": f"{letter.consumer_group} ({letter.service} {letter.service_version}, "
        f"{letter.stage})",
        "failed at": f"{_time(row['first_failed_at'])} UTC"
        + (f", reported {row['deliveries']} times" if row["deliveries"] > 1 else ""),
        "sent at": _milliseconds(letter.record_timestamp),
        "replay of": letter.replay_of,
        "key": None if letter.key is None else _bytes(letter.key),
    }
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, escape(str(value)))
    for header, content in letter.headers:
        text = "null" if content is None else _bytes(content)
        table.add_row("header", escape(f"{header}: {text}"))
    _print(table)
    typer.echo(f"\nvalue: {'null' if letter.value is None else f'{len(letter.value):,} bytes'}")
    for line in hex_lines(letter.value or b""):
        typer.echo(line)
    _show_decoding(decoding)
    for action in actions:
        typer.echo(
            f"{_time(action['acted_at'])} {action['action']} by {action['actor']} "
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


def show_plan(
    operation: Operation, kinds: Sequence[Kind], readers: Sequence[str], as_json: bool
) -> None:
    """What a change would do."""
    most = operation.options.most
    count = operation.selected if most is None else min(operation.selected, most)
    if as_json:
        print_json(
            {
                "dry_run": True,
                "action": operation.action,
                "topic": operation.topic,
                "selected": operation.selected,
                "would_change": count,
                "seconds": round(count / operation.options.rate, 1),
                "for_group": operation.options.for_group,
                "readers": list(readers),
                "kinds": [asdict(kind) for kind in kinds],
            }
        )
        return
    table = _table("count", "reason", "state", "group", "failed from", "to", "bytes")
    for kind in kinds:
        table.add_row(
            f"{kind.count:,}",
            kind.reason,
            kind.state,
            kind.consumer_group,
            _time(kind.first_failed_at),
            _time(kind.last_failed_at),
            f"{kind.record_bytes:,}",
        )
    _print(table)
    seconds = count / operation.options.rate
    typer.echo(f"would {operation.action.lower()} {count:,} dead letters of {operation.topic}")
    if operation.action in (DeadLetterAction.REPLAY, DeadLetterAction.FIX):
        group = operation.options.for_group
        who = f"{group} alone" if group else ", ".join(readers)
        typer.echo(f"at {operation.options.rate:,} a second: {seconds:,.1f} s; read by {who}")


def show_result(operation_id: str, result: Result, as_json: bool) -> None:
    """What a change did."""
    if as_json:
        print_json({"operation_id": operation_id, **result.as_dict()})
        return
    parts = [f"{result.status}: {result.done:,} done"]
    if result.done_before:
        parts.append(f"{result.done_before:,} in earlier runs")
    if result.already:
        parts.append(f"{result.already:,} had been dealt with already")
    if result.unchanged:
        parts.append(f"{result.unchanged:,} stay failed")
    typer.echo(f"{operation_id} {', '.join(parts)}")
    for example in result.examples[:5]:
        typer.echo(f"  {example['dead_letter_id']}: {example['why']}")


def show_sample(
    repaired: Sequence[tuple[str, Repaired]], failed: Sequence[tuple[str, str]], as_json: bool
) -> None:
    """What rules make of a sample."""
    if as_json:
        print_json(
            {
                "dry_run": True,
                "repaired": [
                    {
                        "dead_letter_id": dead_letter_id,
                        "rule": one.rule,
                        "changes": _changes(one),
                    }
                    for dead_letter_id, one in repaired
                ],
                "unchanged": [{"dead_letter_id": name, "why": why} for name, why in failed],
            }
        )
        return
    table = _table("id", "rule", "field", "before", "after")
    for dead_letter_id, one in repaired:
        for name, (before, after) in _changes(one).items():
            table.add_row(dead_letter_id, escape(one.rule), name, repr(before), repr(after))
    if repaired:
        _print(table)
    for dead_letter_id, why in failed:
        typer.echo(f"stays failed {dead_letter_id}: {why}")
    typer.echo(f"sample: {len(repaired):,} repaired, {len(failed):,} stay failed")


def show_audit(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """`audit`."""
    if as_json:
        print_json(rows)
        return
    table = _table(
        "operation", "started (UTC)", "who", "topic", "status", "done", "failed again", "why"
    )
    for row in rows:
        table.add_row(
            row["operation_id"],
            _time(row["started_at"]),
            escape(row["actor"]),
            row["topic"],
            row["status"],
            f"{row['done']:,}/{row['selected']:,}",
            f"{row['failed_again']:,}",
            escape(row["why"]),
        )
    _print(table)


def as_export(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as JSON: bytes in base 64, times in ISO 8601."""
    content = asdict(letter)
    content["key"] = _base64(letter.key)
    content["value"] = _base64(letter.value)
    content["headers"] = [[name, _base64(value)] for name, value in letter.headers]
    for name in ("record_timestamp", "first_failed_at", "failed_at"):
        content[name] = _milliseconds(content[name])
    return content


def _changes(one: Repaired) -> dict[str, tuple[Any, Any]]:
    names = [*one.before, *(name for name in one.after if name not in one.before)]
    return {
        name: (one.before.get(name), one.after.get(name))
        for name in names
        if one.before.get(name) != one.after.get(name)
        or (name in one.before) != (name in one.after)
    }


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        numeric = head in ("count", "bytes", "done", "failed again")
        table.add_column(head, justify="right" if numeric else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    # Wide where nobody's terminal sets the width: a script must not meet folded ids.
    console = Console(file=sys.stdout)
    Console(file=sys.stdout, width=None if console.is_terminal else 200).print(table)


def _where(row: Mapping[str, Any]) -> str:
    if row["topic"] is not None:
        return f"{row['topic']}[{row['partition']}]@{row['offset']}"
    return f"{row['file_name']}, line {row['line']}"


def _bytes(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"
    return text if text.isprintable() else f"0x{content.hex()}"


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value)
