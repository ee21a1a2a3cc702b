"""Lineage four: the realtime tables in PostgreSQL, read through their versioned views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.redis_layout import WindowSize
from roas_ledger.differences import Span
from roas_ledger.record import Partition
from roas_ledger.totals import MEASURES, Cell, Series

LINEAGE = "PostgreSQL"
KIND_COLUMNS = ("on_time", "late", "correction")

_WINDOW_MS = "(extract(epoch FROM window_start) * 1000)::bigint"
_STATEMENT_SECONDS = 120


@dataclass(slots=True)
class StoredWindow:
    """One window as the table holds it: five sums of each kind, by series."""

    start: int
    kinds: tuple[dict[Series, Cell], dict[Series, Cell], dict[Series, Cell]] = field(
        default_factory=lambda: ({}, {}, {})
    )

    def totals(self) -> dict[Series, Cell]:
        """On time, late and corrections together."""
        on_time, late, corrections = self.kinds
        return {
            series: [
                sum(parts) for parts in zip(cell, late[series], corrections[series], strict=True)
            ]
            for series, cell in on_time.items()
        }

    def add(self, series: Series, sums: list[int]) -> None:
        """Enter one row; a second row of a series (another currency) is added to the first."""
        width = len(MEASURES)
        for kind, cells in enumerate(self.kinds):
            cell = cells.setdefault(series, [0] * width)
            for index in range(width):
                cell[index] += sums[kind * width + index]


@dataclass(frozen=True, slots=True)
class ConsumedOffset:
    """Up to where the cache writer has counted a partition, and in which cluster and topic."""

    next_offset: int
    cluster_id: str


class PostgresLineage:
    """Reads what the cache writer has committed, all in one snapshot. A context manager.

    Raises TransientError when PostgreSQL does not answer, MisconfigurationError when the database
    has no realtime tables.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self.connection = psycopg.connect(
                dsn,
                connect_timeout=10,
                options=f"-c statement_timeout={_STATEMENT_SECONDS * 1000} -c timezone=UTC",
            )
        except psycopg.OperationalError as error:
            raise TransientError(f"PostgreSQL does not answer: {_first_line(error)}") from error
        except psycopg.ProgrammingError as error:
            raise MisconfigurationError(
                f"ROAS_LEDGER_POSTGRES_DSN is not a connection string: {_first_line(error)}"
            ) from error
        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self.connection.read_only = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def windows(self, size: WindowSize, span: Span) -> Iterator[StoredWindow]:
        """Every window of one size that starts within the span, oldest first."""
        if span.end is None:
            return
        columns = sql.SQL(", ").join(
            sql.Identifier(f"{kind}_{measure}") for kind in KIND_COLUMNS for measure in MEASURES
        )
        query = sql.SQL(
            "SELECT {window}, dimension, value, {columns} FROM realtime_v1.{view}"
            " WHERE window_start < to_timestamp(%(end)s / 1000.0)"
            " AND (%(first)s::bigint IS NULL"
            " OR window_start >= to_timestamp(%(first)s::bigint / 1000.0))"
            " ORDER BY window_start"
        ).format(
            window=sql.SQL(_WINDOW_MS),
            columns=columns,
            view=sql.Identifier(f"metrics_{size.value}"),
        )
        current: StoredWindow | None = None
        try:
            with self.connection.cursor(name="ledger") as cursor:
                cursor.itersize = 5_000
                cursor.execute(query, {"end": span.end, "first": span.first})
                for start, dimension, value, *sums in cursor:
                    if current is None or current.start != start:
                        if current is not None:
                            yield current
                        current = StoredWindow(start)
                    current.add((dimension, value), sums)
        except psycopg.Error as error:
            raise explained(error) from error
        if current is not None:
            yield current

    def consumed(self, group: str) -> dict[Partition, ConsumedOffset]:
        """The consumed offsets of a group, by partition."""
        query = (
            "SELECT topic, partition, next_offset, cluster_id FROM realtime.consumed_offsets"
            " WHERE consumer_group = %s"
        )
        try:
            rows = self.connection.execute(query, [group]).fetchall()
        except psycopg.Error as error:
            raise explained(error) from error
        return {
            (topic, partition): ConsumedOffset(next_offset, cluster_id)
            for topic, partition, next_offset, cluster_id in rows
        }


def place(size: WindowSize, start: int, series: Series) -> str:
    """The table that holds a window."""
    return f"{LINEAGE} realtime.metrics_{size.value}"


def explained(error: psycopg.Error) -> TransientError | MisconfigurationError:
    """PostgreSQL's error as ours."""
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return MisconfigurationError(
            "ROAS_LEDGER_POSTGRES_DSN names a database without the realtime tables:"
            f" {_first_line(error)}"
        )
    return TransientError(f"PostgreSQL does not answer: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
