"""One file's events of one day, decoded and copied into a table that nobody reads yet.

Runs in a process of its own, see `roas_batch.crew`. What it copies is committed at once: the table
counts only when the day's rebuilding attaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from psycopg import sql

from roas_batch.postgres import connect, translated
from roas_batch.rows import LineMaker, columns_of, timestamp_writer
from roas_contracts.archive.format import Kind
from roas_contracts.archive.reading import check_file, describe, load

_ROWS_OF_A_WRITE: Final = 5_000

KEY: Final = ("event_day", "partition", "offset", "record_timestamp", "schema_id")
"""The columns of every raw table that come from the record, not from the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTask:
    """One file to load."""

    dsn: str
    archive: Path
    file: str
    file_sha256: str
    topic: str
    partition: int
    day: date
    table: str
    """Name of the table in the schema raw."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded of one file."""

    topic: str
    rows: int
    poison: int
    id_hashes: np.ndarray[Any, np.dtype[np.uint64]]
    """Of the event ids: where no two are equal, no two ids are."""


def load_file(task: LoadTask) -> Loaded:
    """Copy a file's events of a day into the table.

    Raises:
        InputError: the file is damaged; names it.
        TransientError: PostgreSQL does not answer, or its disk is full.
    """
    path = task.archive / task.file
    check_file(path, task.file_sha256)
    frame = load(path, ["offset", "timestamp", "value", "schema_id", "kind", "event_day"])
    frame = frame.filter(pl.col("event_day") == task.day)
    poison = frame.filter(pl.col("kind") == Kind.POISON).height
    events = frame.filter(pl.col("kind") == Kind.EVENT)
    if not events.height:
        return Loaded(task.topic, 0, poison, np.empty(0, np.uint64))
    maker = LineMaker(task.topic, describe(path).schemas)
    ids: list[str] = []
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier("raw", task.table),
        sql.SQL(", ").join(map(sql.Identifier, (*KEY, *columns_of(task.topic)))),
    )
    with (
        translated(),
        connect(task.dsn, "roas-batch load") as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for lines in _lines(events, task, maker, ids):
            copy.write(lines)
    return Loaded(task.topic, events.height, poison, pl.Series(ids).hash().to_numpy())


def _lines(events: pl.DataFrame, task: LoadTask, maker: LineMaker, ids: list[str]) -> Iterator[str]:
    """The lines of many rows at a time; `ids` takes up their event ids."""
    constant = f"{task.day.isoformat()}\t{task.partition}\t"
    timestamp = timestamp_writer()
    make = maker.line
    for part in events.iter_slices(_ROWS_OF_A_WRITE):
        lines = []
        for offset, sent_at, value, schema_id in part.select(
            "offset", "timestamp", "value", "schema_id"
        ).iter_rows():
            line = make(value)
            # The event id is the first field of every event.
            ids.append(line[: line.index("\t")])
            lines.append(f"{constant}{offset}\t{timestamp(sent_at)}\t{schema_id}\t{line}\n")
        yield "".join(lines)
