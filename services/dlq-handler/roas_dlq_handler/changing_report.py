"""What the verbs that change something print: before they do it, and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.markup import escape

from roas_contracts.events import DeadLetterAction
from roas_dlq_handler.library import Kind
from roas_dlq_handler.operation import Result
from roas_dlq_handler.operations import Operation
from roas_dlq_handler.output import ID_CHARACTERS, print_json, print_table, table, time_text
from roas_dlq_handler.repair import Repaired


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
    made = table("count", "reason", "state", "group", "bytes")
    for kind in kinds:
        made.add_row(
            f"{kind.count:,}",
            kind.reason,
            kind.state,
            escape(kind.consumer_group),
            f"{kind.record_bytes:,}",
        )
    print_table(made)
    first = min(kind.first_failed_at for kind in kinds)
    last = max(kind.last_failed_at for kind in kinds)
    typer.echo(f"failed from {time_text(first)} to {time_text(last)}")
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
    made = table("id", "rule", "field", "before", "after")
    for dead_letter_id, one in repaired:
        for name, (before, after) in _changes(one).items():
            short = dead_letter_id[:ID_CHARACTERS]
            made.add_row(short, escape(one.rule), name, escape(repr(before)), escape(repr(after)))
    if repaired:
        print_table(made)
    for dead_letter_id, why in failed:
        typer.echo(f"stays failed {dead_letter_id[:ID_CHARACTERS]}: {why}")
    typer.echo(f"sample: {len(repaired):,} repaired, {len(failed):,} stay failed")


def _changes(one: Repaired) -> dict[str, tuple[Any, Any]]:
    names = [*one.before, *(name for name in one.after if name not in one.before)]
    return {
        name: (one.before.get(name), one.after.get(name))
        for name in names
        if one.before.get(name) != one.after.get(name)
        or (name in one.before) != (name in one.after)
    }
