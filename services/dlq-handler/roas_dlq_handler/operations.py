"""Changes as PostgreSQL knows them: who runs one now, what it was asked to do, how to go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg.rows import dict_row

from roas_contracts.consuming.positions import StoredOffset
from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import DEAD_LETTER_ACTIONS, DeadLetterAction
from roas_dlq_handler import SERVICE
from roas_dlq_handler.output import command
from roas_dlq_handler.postgres import Connection, translated
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.selection import Selection

_LOCK_CLASS: Final = 7_041_777
"""Any constant will do: the class of our advisory locks, one lock per topic."""
_LOCK_SECONDS: Final = 5.0
"""PostgreSQL needs a moment to notice that a process was killed."""

RUNNING, FINISHED, CANCELLED, STOPPED = "running", "finished", "cancelled", "stopped"


@dataclass(frozen=True, slots=True)
class Options:
    """How an operation goes about it."""

    rate: int
    """At most so many dead letters a second."""
    most: int | None = None
    """At most so many dead letters in all."""
    for_group: str | None = None
    rules: str | None = None
    """Text of the rules file (fix)."""
    mean_bytes: int = 0
    """Mean size of a record of the selection."""

    def as_dict(self) -> dict[str, Any]:
        """For PostgreSQL."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Operation:
    """One change: what is needed to do it, and to go on with it."""

    operation_id: str
    action: DeadLetterAction
    topic: str
    actor: str
    why: str
    selection: Selection
    options: Options
    up_to: int
    selected: int


class Operations:
    """The table errors.operations, and the lock of each topic."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def lock(self, topic: str) -> Iterator[None]:
        """Hold a topic's lock; it ends with the session, however that ends.

        Raises:
            RefusedError: somebody else holds it; says who.
        """
        deadline = time.monotonic() + _LOCK_SECONDS
        while not self._one("SELECT pg_try_advisory_lock(%s, hashtext(%s))", _LOCK_CLASS, topic):
            if time.monotonic() > deadline:
                raise RefusedError(self._who_runs(topic))
            time.sleep(0.1)
        try:
            yield
        finally:
            if not self._connection.closed:
                self._one("SELECT pg_advisory_unlock(%s, hashtext(%s))", _LOCK_CLASS, topic)

    def begin(self, operation: Operation) -> None:
        """Note an operation before its first dead letter."""
        self._execute(
            "INSERT INTO errors.operations (operation_id, action, topic, actor, why, selection, "
            "options, up_to_sequence, selected, status) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            operation.operation_id,
            operation.action,
            operation.topic,
            operation.actor,
            operation.why,
            json.dumps(operation.selection.as_dict()),
            json.dumps(operation.options.as_dict()),
            operation.up_to,
            operation.selected,
            RUNNING,
        )

    def go_on(self, operation_id: str) -> None:
        """Note that an operation runs again."""
        self._execute(
            "UPDATE errors.operations SET status = %s, cancel_requested = false, ended_at = NULL "
            "WHERE operation_id = %s",
            RUNNING,
            operation_id,
        )

    def end(self, operation_id: str, status: str, result: dict[str, Any]) -> None:
        """Note how an operation ended."""
        self._execute(
            "UPDATE errors.operations SET status = %s, result = %s, ended_at = now() "
            "WHERE operation_id = %s",
            status,
            json.dumps(result),
            operation_id,
        )

    def cancel(self, operation_id: str) -> bool:
        """Ask a running operation to stop; False if it does not run."""
        self.get(operation_id)
        return bool(
            self._one(
                "UPDATE errors.operations AS o SET cancel_requested = true "
                "WHERE operation_id = %s AND status = 'running' AND EXISTS (SELECT FROM pg_locks "
                "WHERE locktype = 'advisory' AND classid::bigint = %s "
                "AND objid::bigint = hashtext(o.topic)::bigint & 4294967295) "
                "RETURNING true",
                operation_id,
                _LOCK_CLASS,
            )
        )

    def cancel_requested(self, operation_id: str) -> bool:
        """Whether somebody has asked it to stop."""
        return bool(
            self._one(
                "SELECT cancel_requested FROM errors.operations WHERE operation_id = %s",
                operation_id,
            )
        )

    def get(self, operation_id: str) -> tuple[Operation, str]:
        """An operation and its status.

        Raises:
            RefusedError: there is none of that id.
        """
        rows = self._rows("SELECT * FROM errors.operations WHERE operation_id = %s", operation_id)
        if not rows:
            raise RefusedError(
                f"there is no operation {operation_id!r}: {command('audit')} lists them"
            )
        row = rows[0]
        operation = Operation(
            row["operation_id"],
            DeadLetterAction(row["action"]),
            row["topic"],
            row["actor"],
            row["why"],
            Selection.from_dict(row["selection"]),
            Options(**row["options"]),
            row["up_to_sequence"],
            row["selected"],
        )
        return operation, row["status"]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest operations, with what became of their dead letters."""
        return self._rows(
            """
            SELECT o.operation_id, o.action, o.topic, o.actor, o.why, o.selection, o.selected,
                CASE WHEN o.status = 'running' AND NOT EXISTS (SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND classid::bigint = %s
                    AND objid::bigint = hashtext(o.topic)::bigint & 4294967295)
                THEN 'stopped' ELSE o.status END AS status,
                o.started_at, o.ended_at, o.result,
                (SELECT count(*) FROM errors.actions AS a
                    WHERE a.operation_id = o.operation_id) AS done,
                (SELECT count(*) FROM errors.dead_letters AS d
                    JOIN errors.actions AS a ON a.dead_letter_id = d.replay_of
                    WHERE a.operation_id = o.operation_id) AS failed_again
            FROM (SELECT * FROM errors.operations ORDER BY started_at DESC LIMIT %s) AS o
            ORDER BY o.started_at DESC
            """,
            _LOCK_CLASS,
            limit,
        )

    def audited_up_to(self, operation_id: str) -> tuple[StoredOffset, int]:
        """PostgreSQL's position in dead-letter-actions, and what it has of an operation there.

        Raises:
            MisconfigurationError: the service has never read that topic.
        """
        rows = self._rows(
            "SELECT next_offset, cluster_id, topic_id, writer_epoch, (SELECT count(*) "
            "FROM errors.actions WHERE operation_id = %s) AS done FROM errors.consumed_offsets "
            "WHERE consumer_group = %s AND topic = %s AND partition = 0",
            operation_id,
            SERVICE,
            DEAD_LETTER_ACTIONS,
        )
        if not rows:
            raise MisconfigurationError(
                "PostgreSQL has no position in dead-letter-actions: start the dlq-handler first"
            )
        done = int(rows[0].pop("done"))
        return StoredOffset(**rows[0]), done

    def _who_runs(self, topic: str) -> str:
        rows = self._rows(
            "SELECT operation_id, actor FROM errors.operations WHERE topic = %s AND "
            "status = 'running' ORDER BY started_at DESC LIMIT 1",
            topic,
        )
        if not rows:
            return f"somebody else is changing the dead letters of {topic} right now: try again"
        return (
            f"{rows[0]['actor']} is at the dead letters of {topic} ({rows[0]['operation_id']}): "
            f"wait for it, or stop it with {command('cancel ' + rows[0]['operation_id'])}"
        )

    def _one(self, sql: str, *parameters: Any) -> Any:
        with translated():
            row = self._connection.execute(sql.encode(), parameters).fetchone()
        return None if row is None else row[0]

    def _rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with translated(), self._connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(sql.encode(), parameters).fetchall())

    def _execute(self, sql: str, *parameters: Any) -> None:
        with translated():
            self._connection.execute(sql.encode(), parameters)
