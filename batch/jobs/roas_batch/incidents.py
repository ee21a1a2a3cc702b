"""What failed in the batch and needs a person (`batch.incidents`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from roas_batch.postgres import Connection, translated

RUN_KEY: Final = "run_id"
"""Key of an incident's detail: the same run telling it again does not count as another time."""

_COLUMNS: Final = (
    "id, raised_at, last_raised_at, times, source, kind, subject, detail, resolved_at, resolution"
)


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong.

    `source` says where (`<dag>.<task>`), `kind` what kind of failure, `subject` what it is about
    (a day, a range, a test). While it is open the same three raise it again instead of a second.
    """

    id: int
    raised_at: datetime
    last_raised_at: datetime
    times: int
    source: str
    kind: str
    subject: str
    detail: dict[str, Any]
    resolved_at: datetime | None
    resolution: str | None


class Incidents:
    """The table batch.incidents.

    Args:
        connection: to PostgreSQL, in autocommit mode.

    Every method raises TransientError when PostgreSQL does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def raise_(self, source: str, kind: str, subject: str, detail: dict[str, Any]) -> Incident:
        """Open an incident, or tell it again; the newest detail is kept."""
        with translated():
            row = self._connection.execute(
                "INSERT INTO batch.incidents AS known (source, kind, subject, detail)"
                " VALUES (%(source)s, %(kind)s, %(subject)s, %(detail)s)"
                " ON CONFLICT (source, kind, subject) WHERE resolved_at IS NULL DO UPDATE SET"
                " last_raised_at = now(), detail = EXCLUDED.detail, times = known.times"
                " + CASE WHEN known.detail->>%(run)s = EXCLUDED.detail->>%(run)s THEN 0 ELSE 1 END"
                f" RETURNING {_COLUMNS}",
                {
                    "source": source,
                    "kind": kind,
                    "subject": subject,
                    "detail": Jsonb(detail),
                    "run": RUN_KEY,
                },
            ).fetchone()
        assert row is not None
        return Incident(*row)

    def newest(
        self, *, source: str = "", resolved: bool = False, limit: int = 100
    ) -> list[Incident]:
        """Open incidents (with `resolved`: all), the last raised first.

        Args:
            source: a task's, or all of a DAG's; empty: everywhere.
            resolved: those that are resolved, too.
            limit: at most so many.
        """
        with translated():
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM batch.incidents"
                " WHERE (%(resolved)s OR resolved_at IS NULL) AND (%(source)s = ''"
                " OR source = %(source)s OR split_part(source, '.', 1) = %(source)s)"
                " ORDER BY last_raised_at DESC, id DESC LIMIT %(limit)s",
                {"source": source, "resolved": resolved, "limit": limit},
            ).fetchall()
        return [Incident(*row) for row in rows]

    def resolve(
        self, why: str, *, ids: Sequence[int] = (), source: str = "", kinds: Sequence[str] = ()
    ) -> list[Incident]:
        """Resolve the open incidents among these ids, or all of a source.

        Args:
            why: what was done.
            ids: exactly these; the other arguments are then left out.
            source: a task's, or all of a DAG's.
            kinds: only of these kinds; empty: of any.
        """
        with translated():
            rows = self._connection.execute(
                "UPDATE batch.incidents SET resolved_at = now(), resolution = %(why)s"
                " WHERE resolved_at IS NULL AND CASE WHEN %(source)s = '' THEN id = ANY(%(ids)s)"
                " ELSE (source = %(source)s OR split_part(source, '.', 1) = %(source)s)"
                " AND (%(kinds)s::text[] = '{}' OR kind = ANY(%(kinds)s::text[])) END"
                f" RETURNING {_COLUMNS}",
                {"why": why, "ids": list(ids), "source": source, "kinds": list(kinds)},
            ).fetchall()
        return [Incident(*row) for row in rows]
