"""batch.corrections and batch.reconciliations: what people can look up afterwards."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from roas_batch.postgres import Connection
from roas_batch.reconcile.corrections import Correction

_LOCK: Final = "roas reconcile --correct"


class Records:
    """Writes both tables.

    Args:
        connection: to PostgreSQL, in autocommit mode.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> bool:
        """Become the one run that corrects, until the session ends; False where there is one."""
        row = self._connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (_LOCK,)
        ).fetchone()
        assert row is not None
        return bool(row[0])

    def settle(self, day: date, in_kafka: Collection[str]) -> tuple[int, int]:
        """Learn from Kafka what became of corrections that a former run had planned.

        Returns:
            How many were committed, and how many were not (they are forgotten).
        """
        committed = self._connection.execute(
            "UPDATE batch.corrections SET committed_at = now()"
            " WHERE day = %s AND committed_at IS NULL AND correction_id = ANY(%s)",
            (day, list(in_kafka)),
        ).rowcount
        forgotten = self._connection.execute(
            "DELETE FROM batch.corrections WHERE day = %s AND committed_at IS NULL", (day,)
        ).rowcount
        return committed, forgotten

    def plan(self, day: date, corrections: Sequence[Correction]) -> None:
        """Note what is about to be sent."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO batch.corrections (correction_id, day, window_size, window_start,"
                " dimension, value, scope, cause, delta) VALUES (%s, %s, %s,"
                " to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s)",
                [
                    (
                        each.correction_id,
                        day,
                        each.cell.size,
                        each.cell.window_start,
                        each.cell.dimension,
                        each.cell.value,
                        each.scope,
                        each.cause,
                        list(each.delta),
                    )
                    for each in corrections
                ],
            )

    def committed(self, corrections: Sequence[Correction]) -> None:
        """Note that they were committed."""
        self._connection.execute(
            "UPDATE batch.corrections SET committed_at = now() WHERE correction_id = ANY(%s)",
            ([each.correction_id for each in corrections],),
        )

    def reconciled(self, day: date, report: dict[str, Any]) -> None:
        """Keep a run's result."""
        self._connection.execute(
            "INSERT INTO batch.reconciliations (day, verdict, compared, causes, corrections,"
            " detail) VALUES (%s, %s, %s, %s, %s, %s)",
            (
                day,
                report["verdict"],
                report["compared"],
                json.dumps(report["causes"]),
                report["corrections"],
                json.dumps(report, default=str),
            ),
        )
