"""Reading the stored dead letters: lists, histograms, pages. Keyset pagination, never offsets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from roas_dlq_handler.postgres import Connection, translated
from roas_dlq_handler.selection import Selection

LISTED: Final = (
    "sequence",
    "dead_letter_id",
    "state",
    "reason",
    "origin_type",
    "topic",
    "partition",
    "offset",
    "file_name",
    "line",
    "consumer_group",
    "service",
    "stage",
    "detail",
    "first_failed_at",
    "failed_at",
    "deliveries",
    "replays",
    "replay_of",
    "operation_id",
    "record_bytes",
)
_LISTED: Final = ", ".join('"offset"' if name == "offset" else name for name in LISTED)

_DIMENSIONS: Final = ("state", "reason", "topic", "service", "time")
_PAGE_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram."""

    dimension: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Dead letters of a selection that have the same origin, group and reason."""

    origin_type: str
    topic: str | None
    consumer_group: str
    reason: str
    state: str
    count: int
    record_bytes: int
    first_failed_at: datetime
    last_failed_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some dead letters of a selection."""

    last_sequence: int
    letters: list[tuple[str, str, bytes]]
    """Id, state, and the whole letter in wire format."""


class Library:
    """What is stored. Methods raise TransientError and MisconfigurationError as `postgres`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, selection: Selection, limit: int) -> list[dict[str, Any]]:
        """The newest dead letters of a selection, newest first."""
        where, parameters = selection.where()
        return self._rows(
            f"SELECT {_LISTED} FROM errors.dead_letters WHERE {where} "
            "ORDER BY sequence DESC LIMIT %s",
            [*parameters, limit],
        )

    def beginning_with(self, beginning: str) -> list[tuple[dict[str, Any], bytes]]:
        """The dead letter of an id; or those whose ids begin like this, at most two of them."""
        rows = self._rows(
            f"SELECT {_LISTED}, letter FROM errors.dead_letters "
            "WHERE starts_with(dead_letter_id, %s) ORDER BY dead_letter_id LIMIT 2",
            [beginning],
        )
        found = [(row, bytes(row.pop("letter"))) for row in rows]
        # The shortest comes first: an id that is also the beginning of another one is meant itself.
        return found[:1] if rows and rows[0]["dead_letter_id"] == beginning else found

    def actions(self, dead_letter_id: str) -> list[dict[str, Any]]:
        """What was done about a dead letter, oldest first."""
        return self._rows(
            "SELECT action, operation_id, actor, why, for_group, rule, acted_at "
            "FROM errors.actions WHERE dead_letter_id = %s ORDER BY sequence",
            [dead_letter_id],
        )

    def histogram(self, selection: Selection, bucket: str) -> list[Bar]:
        """Counts by state, reason, topic, service and time, and in all.

        Args:
            selection: of what.
            bucket: minute, hour or day.
        """
        where, parameters = selection.where()
        rows = self._rows(
            f"""
            SELECT state, reason, topic, service, time, count(*) AS count,
                grouping(state, reason, topic, service, time) AS missing
            FROM (
                SELECT state, reason, coalesce(topic, 'file ' || file_name) AS topic, service,
                    date_trunc(%s, failed_at) AS time
                FROM errors.dead_letters WHERE {where}
            ) AS d
            GROUP BY GROUPING SETS ((state), (reason), (topic), (service), (time), ())
            ORDER BY missing, count DESC
            """,
            [bucket, *parameters],
        )
        bars = []
        for row in rows:
            # Bit by bit from the left: 1 where the column is not grouped by.
            bits = f"{row['missing']:05b}"
            name = _DIMENSIONS[bits.index("0")] if "0" in bits else "all"
            value = row[name] if name != "all" else "all"
            text = f"{value:%Y-%m-%dT%H:%M}Z" if isinstance(value, datetime) else str(value)
            bars.append(Bar(name, text, int(row["count"])))
        return bars

    def kinds(self, selection: Selection) -> list[Kind]:
        """What a selection is made of, the most frequent first."""
        where, parameters = selection.where()
        rows = self._rows(
            "SELECT origin_type, topic, consumer_group, reason, state, count(*) AS count, "
            "sum(record_bytes)::bigint AS record_bytes, min(failed_at) AS first_failed_at, "
            f"max(failed_at) AS last_failed_at FROM errors.dead_letters WHERE {where} "
            "GROUP BY 1, 2, 3, 4, 5 ORDER BY count DESC",
            parameters,
        )
        return [Kind(**row) for row in rows]

    def failed_in_other_groups(self, selection: Selection) -> int:
        """How many of a selection are records that another consumer group failed at as well."""
        where, parameters = selection.where()
        rows = self._rows(
            f"""
            SELECT count(*) AS count FROM (
                SELECT * FROM errors.dead_letters WHERE {where}
            ) AS d
            WHERE origin_type = 'KAFKA' AND EXISTS (
                SELECT FROM errors.dead_letters AS o
                WHERE o.topic = d.topic AND o.partition = d.partition
                    AND o."offset" = d."offset" AND o.consumer_group <> d.consumer_group)
            """,
            parameters,
        )
        return int(rows[0]["count"])

    def newest_sequence(self) -> int:
        """The newest arrival."""
        rows = self._rows("SELECT coalesce(max(sequence), 0) AS n FROM errors.dead_letters", [])
        return int(rows[0]["n"])

    def pages(
        self, selection: Selection, up_to: int, mean_bytes: int, most: int = 1000
    ) -> Iterator[Page]:
        """A selection in order of arrival.

        Args:
            selection: which.
            up_to: the last arrival that is wanted.
            mean_bytes: mean size of a record, which decides how many fit into a page.
            most: most letters of a page.
        """
        where, parameters = selection.where()
        limit = max(1, min(most, _PAGE_BYTES // max(1, mean_bytes)))
        after = 0
        while True:
            rows = self._rows(
                "SELECT sequence, dead_letter_id, state, letter FROM errors.dead_letters "
                f"WHERE sequence > %s AND sequence <= %s AND {where} ORDER BY sequence LIMIT %s",
                [after, up_to, *parameters, limit],
            )
            if not rows:
                return
            after = int(rows[-1]["sequence"])
            yield Page(
                after,
                [(row["dead_letter_id"], row["state"], bytes(row["letter"])) for row in rows],
            )
            if len(rows) < limit:
                return

    def sample(self, selection: Selection, size: int) -> list[bytes]:
        """Some dead letters of a selection, spread by their ids, the same ones every time."""
        where, parameters = selection.where()
        rows = self._rows(
            f"SELECT letter FROM errors.dead_letters WHERE {where} "
            "ORDER BY dead_letter_id LIMIT %s",
            [*parameters, size],
        )
        return [bytes(row["letter"]) for row in rows]

    def _rows(self, sql: str, parameters: Any) -> list[dict[str, Any]]:
        with self._reading() as cursor:
            return list(cursor.execute(sql.encode(), parameters).fetchall())

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        with translated(), self._connection.cursor(row_factory=dict_row) as cursor:
            yield cursor
