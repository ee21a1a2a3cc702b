"""What PostgreSQL knows of the archive: ranges, losses that a person accepted, built days."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from roas_batch.planning import Known, Span
from roas_batch.postgres import Connection, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRange:
    """One file of the archive and what is in it."""

    topic: str
    topic_id: str
    cluster_id: str
    partition: int
    span: Span
    file: str
    """Relative to the archive's folder."""
    file_bytes: int
    file_sha256: str
    records_sha256: str
    events: int
    heartbeats: int
    poison: int
    skipped: int
    event_days: Sequence[date]


_COLUMNS = (
    "topic, topic_id, cluster_id, partition, from_offset, to_offset, file, file_bytes, "
    "file_sha256, records_sha256, events, heartbeats, poison, skipped, event_days"
)


class Catalog:
    """The tables of the schema batch that describe the archive.

    Args:
        connection: to PostgreSQL, in autocommit mode.

    Every method raises TransientError when PostgreSQL does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, topics: Iterable[str]) -> list[Known]:
        """What is archived (and not retired) or accepted as lost."""
        with translated():
            rows = self._connection.execute(
                "SELECT topic, topic_id, cluster_id, partition, from_offset, to_offset"
                " FROM batch.archived_ranges WHERE retired_at IS NULL AND topic = ANY(%(topics)s)"
                " UNION ALL SELECT topic, topic_id, NULL, partition, from_offset, to_offset"
                " FROM batch.lost_ranges WHERE topic = ANY(%(topics)s)",
                {"topics": list(topics)},
            ).fetchall()
        return [
            Known(topic, topic_id, cluster_id, partition, Span(first, end))
            for topic, topic_id, cluster_id, partition, first, end in rows
        ]

    def ranges(self, day: date | None = None) -> list[ArchivedRange]:
        """Live ranges in the order of topics, partitions and offsets; of one day, those with it."""
        with translated():
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM batch.archived_ranges WHERE retired_at IS NULL"
                " AND (%(day)s::date IS NULL OR %(day)s = ANY(event_days))"
                " ORDER BY topic, partition, from_offset",
                {"day": day},
            ).fetchall()
        return [
            ArchivedRange(
                topic=row[0],
                topic_id=row[1],
                cluster_id=row[2],
                partition=row[3],
                span=Span(row[4], row[5]),
                file=row[6],
                file_bytes=row[7],
                file_sha256=row[8],
                records_sha256=row[9],
                events=row[10],
                heartbeats=row[11],
                poison=row[12],
                skipped=row[13],
                event_days=row[14],
            )
            for row in rows
        ]

    def every_file(self) -> set[str]:
        """All files that the catalog knows, those of retired topics too."""
        with translated():
            rows = self._connection.execute("SELECT file FROM batch.archived_ranges").fetchall()
        return {file for (file,) in rows}

    def built(self) -> dict[date, str]:
        """Days that raw holds whole, with their fingerprints."""
        with translated():
            return dict(
                self._connection.execute("SELECT day, fingerprint FROM batch.days").fetchall()
            )

    def retire(self, topic: str) -> int:
        """Give up the archived ranges of a topic that there is no more; how many there were."""
        with translated():
            return self._connection.execute(
                "UPDATE batch.archived_ranges SET retired_at = now()"
                " WHERE topic = %s AND retired_at IS NULL",
                (topic,),
            ).rowcount

    def accept_loss(
        self, log_topic_id: str, topic: str, partition: int, span: Span, why: str
    ) -> None:
        """Note that a person has accepted that a range is lost. Repeating it changes nothing."""
        with translated():
            self._connection.execute(
                "INSERT INTO batch.lost_ranges (topic, topic_id, partition, from_offset,"
                " to_offset, why) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (topic, log_topic_id, partition, span.from_offset, span.to_offset, why),
            )


def fingerprint(ranges: Iterable[ArchivedRange]) -> str:
    """Of the records that a day is built from: the same for the same records."""
    lines = sorted(
        f"{each.topic} {each.topic_id} {each.partition} {each.span.from_offset} "
        f"{each.span.to_offset} {each.records_sha256}"
        for each in ranges
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def stale_days(ranges: Iterable[ArchivedRange], built: dict[date, str]) -> list[date]:
    """Days of archived events that are not built, or not from all that is archived of them."""
    by_day: dict[date, list[ArchivedRange]] = {}
    for each in ranges:
        for day in each.event_days:
            by_day.setdefault(day, []).append(each)
    return sorted(day for day, its in by_day.items() if fingerprint(its) != built.get(day))
