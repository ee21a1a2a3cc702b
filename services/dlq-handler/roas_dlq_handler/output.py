"""How answers look: data on stdout, tables for people or JSON for scripts; the rest on stderr."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from roas_contracts.service.cli import PROGRAM_VARIABLE

ID_CHARACTERS: Final = 12
"""As much of an id as tells it from a million others; every verb takes the beginning of an id."""
_PIPE_WIDTH: Final = 200
"""Where nobody's terminal sets the width: a script must not meet folded lines."""
_ONE_LINE_WIDTH: Final = 150
"""A terminal narrower than this gets two lines for each entry of a listing."""
_NUMERIC: Final = ("count", "bytes", "done", "failed again")


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


def command(verb: str) -> str:
    """A verb as it is typed, to be copied: with the name that this program was called by."""
    return f"`{os.environ.get(PROGRAM_VARIABLE, 'dlq')} {verb}`"


def print_json(content: Any) -> None:
    """JSON on stdout."""
    typer.echo(json.dumps(content, indent=2, default=_plain))


def table(*heads: str) -> Table:
    """An empty table without lines."""
    made = Table(box=None, pad_edge=False)
    for head in heads:
        numeric = head in _NUMERIC
        made.add_column(head, justify="right" if numeric else "left", overflow="fold")
    return made


def print_table(filled: Table) -> None:
    """A table on stdout, as wide as the terminal."""
    Console(file=sys.stdout, width=_width()).print(filled)


def print_listing(
    heads: Sequence[str], rows: Sequence[Sequence[str]], below: str, notes: Sequence[str]
) -> None:
    """Entries of some facts and one longer note each.

    A pipe and a wide terminal get a line for each entry, another terminal two: the note, cut where
    the terminal ends, goes below.

    Args:
        heads: names of the facts.
        rows: the facts of each entry.
        below: name of the note.
        notes: the note of each entry.
    """
    width = _width()
    columns = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    one_line = width >= _ONE_LINE_WIDTH
    for row, note in zip((heads, *rows), (below, *notes), strict=True):
        facts = "  ".join(map(set_cell_size, row, columns))
        lines = [f"{facts}  {note}"] if one_line else [facts, f"  {note}"]
        for line in lines:
            typer.echo(_cut(line, None if width == _PIPE_WIDTH else width).rstrip())


def time_text(moment: datetime) -> str:
    """A time for a person, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds_text(milliseconds: int | None) -> str | None:
    """Milliseconds since 1970 as ISO 8601; those that no calendar has, as they are."""
    if milliseconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bytes_text(content: bytes) -> str:
    """Bytes as text where they are printable, else in hexadecimal."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"
    return text if text.isprintable() else f"0x{content.hex()}"


def base64_text(content: bytes | None) -> str | None:
    """Bytes as a script wants them."""
    return None if content is None else base64.b64encode(content).decode()


def where_text(row: Mapping[str, Any]) -> str:
    """A dead letter's origin."""
    if row["topic"] is not None:
        return f"{row['topic']}[{row['partition']}]@{row['offset']}"
    return f"{row['file_name']}, line {row['line']}"


def _width() -> int:
    console = Console(file=sys.stdout)
    return console.width if console.is_terminal else _PIPE_WIDTH


def _cut(line: str, width: int | None) -> str:
    text = "".join(c if c.isprintable() else " " for c in line)
    if width is None or cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value)
