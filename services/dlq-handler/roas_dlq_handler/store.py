"""PostgreSQL for the service: rows and consumed offsets change in one transaction, or neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from roas_contracts.consuming.positions import StoredOffset, TopicPartition
from roas_contracts.errors import FencedError, TransientError
from roas_contracts.events import DeadLetterActionRecord
from roas_dlq_handler import SERVICE, statements
from roas_dlq_handler.intake import Batch, StoredLetter, column_text, column_time
from roas_dlq_handler.postgres import Connection, connect, translated

APPLICATION_NAME = "roas-dlq-handler"
"""The name of the service's sessions in pg_stat_activity."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """How many dead letters of one kind wait for somebody."""

    reason: str
    topic: str
    state: str
    count: int


class Store:
    """The errors schema, for one writer. Not thread-safe.

    Every method raises TransientError when PostgreSQL does not answer (the connection is then
    closed: open it again), and MisconfigurationError when the schema is not what it should be.

    Args:
        dsn: where.
        replay_cap: what has so many replays behind it is quarantined.
    """

    def __init__(self, dsn: str, replay_cap: int) -> None:
        self._dsn = dsn
        self._cap = replay_cap
        self._connection: Connection | None = None

    def open(self) -> None:
        """Connect; what is already open stays open."""
        if self._connection is None:
            self._connection = connect(self._dsn, APPLICATION_NAME)

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def next_epoch(self) -> int:
        """A number larger than that of every writer before."""
        with self._session() as connection:
            row = connection.execute(statements.NEXT_EPOCH).fetchone()
        assert row is not None
        return int(row[0])

    def claim(self, epoch: int) -> None:
        """Take every partition over: from now on only this epoch may commit."""
        with self._session() as connection:
            connection.execute(statements.CLAIM, (epoch, SERVICE, epoch))

    def offsets(self) -> dict[TopicPartition, StoredOffset]:
        """Up to where each partition is stored."""
        with self._session() as connection:
            rows = connection.execute(statements.OFFSETS, (SERVICE,)).fetchall()
        return {(row[0], row[1]): StoredOffset(*row[2:]) for row in rows}

    def add_partition(self, partition: TopicPartition, offset: StoredOffset) -> None:
        """Note where a partition that was never read begins; one that is known stays as it is."""
        with self._session() as connection:
            connection.execute(
                statements.ADD_PARTITION,
                (
                    SERVICE,
                    *partition,
                    offset.next_offset,
                    offset.cluster_id,
                    offset.topic_id,
                    offset.writer_epoch,
                ),
            )

    def rebind(self, topic: str) -> int:
        """Forget the offsets of a topic, so that it is read from its beginning; partitions."""
        with self._session() as connection:
            return connection.execute(statements.REBIND, (SERVICE, topic)).rowcount

    def commit(self, batch: Batch, expected: Mapping[TopicPartition, int], epoch: int) -> None:
        """Write a batch in one transaction.

        Args:
            batch: what to write.
            expected: the offset that each partition of the batch must still have.
            epoch: this writer's.

        Raises:
            FencedError: another writer has taken a partition over; nothing was written.
            TransientError: PostgreSQL failed. Whether the batch was written is then to be read
                from the offsets.
        """
        with self._session() as connection, connection.transaction():
            self._advance(connection, batch, expected, epoch)
            if batch.letters:
                connection.execute(statements.INCOMING)
                with connection.cursor().copy(statements.COPY_LETTERS) as copy:
                    for stored in batch.letters.values():
                        copy.write_row(_letter_row(stored))
                connection.execute(statements.INSERT_LETTERS)
                connection.execute(statements.COUNT_REPLAYS, (self._cap,))
            if batch.actions:
                with connection.cursor().copy(statements.COPY_ACTIONS) as copy:
                    for action in batch.actions:
                        copy.write_row(_action_row(action))
            touched = [*batch.letters, *(action.dead_letter_id for action in batch.actions)]
            if touched:
                connection.execute(statements.SET_STATES, (self._cap, touched))

    def unresolved(self) -> tuple[list[Unresolved], datetime | None]:
        """What waits for somebody, by kind, and when the oldest of it failed first."""
        with self._session() as connection:
            rows = connection.execute(statements.UNRESOLVED).fetchall()
            oldest = connection.execute(statements.OLDEST_UNRESOLVED).fetchone()
        return [Unresolved(*row) for row in rows], oldest[0] if oldest else None

    def _advance(
        self,
        connection: Connection,
        batch: Batch,
        expected: Mapping[TopicPartition, int],
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
                [progress.records for _, progress in moved],
                SERVICE,
                epoch,
            ),
        ).rowcount
        if updated != len(moved):
            raise FencedError(
                "another dlq-handler has taken over the partitions of this one (their offsets in "
                "PostgreSQL are not what this one left there): it stops, so that nothing is "
                "stored twice"
            )

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The open connection; its errors as ours."""
        try:
            with translated():
                if self._connection is None:
                    raise psycopg.OperationalError("the connection is closed")
                yield self._connection
        except TransientError:
            self.close()
            raise


def _letter_row(stored: StoredLetter) -> tuple[Any, ...]:
    one = stored.letter
    return (
        column_text(one.dead_letter_id),
        one.origin_type,
        column_text(one.topic),
        one.partition,
        one.offset,
        column_text(one.file_name),
        one.line,
        one.key,
        column_text(one.consumer_group),
        column_text(one.service),
        column_text(one.service_version),
        column_text(one.stage),
        one.reason,
        column_text(one.detail),
        one.schema_id,
        column_time(one.first_failed_at),
        column_time(one.failed_at),
        stored.deliveries,
        column_text(one.replay_of),
        len(one.value or b""),
        stored.encoded,
    )


def _action_row(action: DeadLetterActionRecord) -> tuple[Any, ...]:
    return (
        column_text(action.dead_letter_id),
        action.action,
        column_text(action.operation_id),
        column_text(action.actor),
        column_text(action.why),
        column_text(action.selection),
        column_text(action.topic),
        action.partition,
        column_text(action.for_group),
        column_text(action.rule),
        column_text(action.rules_sha256),
        column_text(action.tool_version),
        column_time(action.acted_at),
    )
