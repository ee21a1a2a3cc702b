"""Rows for a person or for a script."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_rows(
    rows: list[dict[str, Any]], as_json: bool, columns: Sequence[str] | None = None
) -> None:
    """JSON with everything, or a table for a person (with these columns only)."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    chosen = columns or list(rows[0])
    table = Table(*(name.replace("_", " ") for name in chosen))
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in chosen))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
