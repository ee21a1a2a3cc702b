"""PostgreSQL: the truth. Sums and consumed offsets change in one transaction, or neither does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg

from roas_cache_writer import statements
from roas_cache_writer.arrays import arrays, register
from roas_cache_writer.deltas import Sums
from roas_cache_writer.stored_rows import StoredRow
from roas_contracts.consuming.positions import StoredOffset, TopicPartition
from roas_contracts.errors import FencedError, TransientError
from roas_contracts.postgres import Connection, Database
from roas_contracts.redis_layout import WindowSize

APPLICATION_NAME: Final = "roas-cache-writer"
"""The name of the writer's sessions in pg_stat_activity."""

if TYPE_CHECKING:  # Only what counts needs the decoders behind a batch.
    from roas_cache_writer.batch import Batch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# A zombie that holds row locks must not hold up its successor for longer than this, and a server
# that does not answer must not hold up an orderly stop.
_DATABASE: Final = Database(
    "ROAS_CACHE_WRITER_POSTGRES_DSN",
    "the realtime schema",
    "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=15s",
)


@dataclass(frozen=True, slots=True)
class StoredFreshness:
    """A row of realtime.freshness; times in epoch milliseconds."""

    newest_window_start: int
    newest_complete_window_start: int | None
    newest_emitted_at: int
    updated_at: int


class MetricsStore:
    """The realtime schema, for one writer. Not thread-safe.

    Every method raises `TransientError` when PostgreSQL does not answer (the connection is then
    closed: open it again), and `MisconfigurationError` when the schema is not what it should be.
    """

    def __init__(self, dsn: str, group: str, currency: str) -> None:
        self._dsn = dsn
        self._group = group
        self._currency = currency
        self._connection: Connection | None = None
        self._partitions: set[tuple[WindowSize, int]] = set()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that has not failed yet."""
        return self._connection is not None

    def open(self) -> None:
        """Connect; what is already open stays open."""
        if self._connection is not None:
            return
        self._partitions.clear()
        self._connection = _DATABASE.connect(self._dsn, APPLICATION_NAME)
        register(self._connection)

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def next_epoch(self) -> int:
        """A number larger than that of every writer before."""
        with self._translated() as connection:
            return int(_one(connection.execute(statements.NEXT_EPOCH))[0])

    def claim(self, epoch: int) -> None:
        """Take every partition over: from now on only this epoch may commit."""
        with self._translated() as connection:
            connection.execute(statements.CLAIM, (epoch, self._group, epoch))

    def offsets(self) -> dict[TopicPartition, StoredOffset]:
        """Up to where each partition is counted."""
        with self._translated() as connection:
            rows = connection.execute(statements.OFFSETS, (self._group,)).fetchall()
        return {(row[0], row[1]): StoredOffset(*row[2:]) for row in rows}

    def add_partition(self, partition: TopicPartition, offset: StoredOffset) -> None:
        """Note where a partition that was never read begins; one that is known stays as it is."""
        with self._translated() as connection:
            connection.execute(
                statements.ADD_PARTITION,
                (
                    self._group,
                    *partition,
                    offset.next_offset,
                    offset.cluster_id,
                    offset.topic_id,
                    offset.writer_epoch,
                ),
            )

    def rebind(self, topic: str) -> int:
        """Forget the offsets of a topic, so that it is read from its beginning; partitions."""
        with self._translated() as connection:
            return connection.execute(statements.REBIND, (self._group, topic)).rowcount

    def commit(
        self, batch: Batch, expected: dict[TopicPartition, int], epoch: int
    ) -> dict[WindowSize, list[StoredRow]]:
        """Write a batch in one transaction.

        Args:
            batch: what to write.
            expected: the offset that each partition of the batch must still have.
            epoch: this writer's.

        Returns:
            The rows that changed, as they are after the commit.

        Raises:
            FencedError: another writer has taken a partition over; nothing was written.
            TransientError: PostgreSQL failed. Whether the batch was written is then to be read
                from the offsets.
        """
        sums = {size: fold.sums() for size, fold in sorted(batch.folds.items())}
        for size, rows in sums.items():
            self._ensure_partitions(size, rows)
        changed: dict[WindowSize, list[StoredRow]] = {}
        with self._translated() as connection, connection.transaction():
            self._advance(connection, batch, expected, epoch)
            for size, rows in sums.items():
                changed[size] = self._upsert(connection, size, rows)
                newest = (rows.newest_window, rows.newest_complete, rows.newest_emitted_at)
                connection.execute(statements.FRESHNESS_UPSERT, (size, *newest))
        return changed

    def _upsert(self, connection: Connection, size: WindowSize, sums: Sums) -> list[StoredRow]:
        statement = statements.upsert(size, tuple(sums.measures))
        parameters = (self._currency, *arrays(sums))
        return _rows(connection.execute(statement, parameters, binary=True))

    def freshness(self, size: WindowSize) -> StoredFreshness | None:
        """How far a window size has come; None before its first row."""
        with self._translated() as connection:
            row = connection.execute(statements.FRESHNESS, (size,)).fetchone()
        return None if row is None else StoredFreshness(*row)

    def window_starts(self, size: WindowSize, from_ms: int) -> list[int]:
        """The windows that have rows, from one on, oldest first."""
        with self._translated() as connection:
            rows = connection.execute(statements.window_starts(size), (from_ms,)).fetchall()
        return [row[0] for row in rows]

    def windows(self, size: WindowSize, starts: Sequence[int]) -> list[StoredRow]:
        """All rows of some windows, in the reporting currency."""
        with self._translated() as connection:
            parameters = ([_datetime(start) for start in starts], self._currency)
            return _rows(connection.execute(statements.windows(size), parameters, binary=True))

    def _advance(
        self,
        connection: Connection,
        batch: Batch,
        expected: dict[TopicPartition, int],
        epoch: int,
    ) -> None:
        moved = sorted(batch.progress.items())
        updated = connection.execute(
            statements.ADVANCE,
            (
                [topic for (topic, _), _ in moved],
                [partition for (_, partition), _ in moved],
                [expected[key] for key, _ in moved],
                [progress.next_offset for _, progress in moved],
                [progress.applied for _, progress in moved],
                [progress.dead_lettered for _, progress in moved],
                [progress.skipped for _, progress in moved],
                self._group,
                epoch,
            ),
        ).rowcount
        if updated != len(moved):
            raise FencedError(
                "another cache-writer has taken over the partitions of this one (their offsets "
                "in PostgreSQL are not what this one left there): it stops, so that nothing is "
                "counted twice"
            )

    def _ensure_partitions(self, size: WindowSize, sums: Sums) -> None:
        missing = [day for day in sums.days() if (size, day) not in self._partitions]
        if missing:
            table = statements.TABLE[size].removeprefix("realtime.")
            with self._translated() as connection:
                connection.execute(statements.ENSURE_PARTITIONS, (table, missing))
            self._partitions.update((size, day) for day in missing)

    @contextmanager
    def _translated(self) -> Iterator[Connection]:
        """The open connection; its errors as ours."""
        if self._connection is None:
            raise TransientError("PostgreSQL does not answer: the connection is closed")
        try:
            with _DATABASE.translated():
                yield self._connection
        except TransientError:
            self.close()
            raise


def _datetime(milliseconds: int) -> datetime:
    """Exact, unlike a division to float seconds."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[StoredRow]:
    return list(map(StoredRow._make, cursor.fetchall()))


def _one(cursor: psycopg.Cursor[tuple[Any, ...]]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None
    return row
