"""Whether archived records that Kafka no longer has were let go by retention, or deleted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from roas_batch.postgres import Connection
from roas_batch.rebuilding import TABLES
from roas_batch.reconcile.causes import Cause
from roas_batch.reconcile.coverage import Gone
from roas_contracts.subjects import load_subject


@dataclass(frozen=True, slots=True)
class JudgedGone:
    """One stretch of a day's records that is gone from Kafka."""

    cause: Cause
    description: dict[str, object]


def judge_gone(connection: Connection, day: date, gone: Iterable[Gone]) -> Iterator[JudgedGone]:
    """The stretches that hold records of the day, each with its cause.

    Kafka deletes by the time a record was sent: a stretch whose newest record is older than the
    topic's retention has expired, any other was deleted.
    """
    for each in gone:
        row = connection.execute(
            'SELECT count(*), min("offset"), max("offset"),'
            " (extract(epoch FROM max(record_timestamp)) * 1000)::bigint"
            f" FROM raw.{TABLES[each.topic]} WHERE event_day = %s AND partition = %s"
            ' AND "offset" >= %s AND "offset" < %s',
            (day, each.partition, each.span.from_offset, each.span.to_offset),
        ).fetchone()
        assert row is not None
        records, first, last, newest_ms = row
        if not records:
            continue
        cause = cause_of(newest_ms, _retention_ms(each.topic), time.time_ns() // 1_000_000)
        yield JudgedGone(
            cause,
            {
                "cause": cause,
                "place": f"{each.topic}/{each.partition}@{first}-{last}",
                "says": "archive, Kafka",
                "expected": records,
                "got": 0,
                "why": each.why,
                "newest_sent_at": datetime.fromtimestamp(newest_ms / 1000, UTC).isoformat(),
            },
        )


def cause_of(newest_sent_ms: int, retention_ms: int, now_ms: int) -> Cause:
    """EXPIRED where the newest record's retention is over (below 0: it never is), else DELETED."""
    if 0 <= retention_ms < now_ms - newest_sent_ms:
        return Cause.KAFKA_EXPIRED
    return Cause.KAFKA_RECORDS_DELETED


def _retention_ms(topic: str) -> int:
    return load_subject(topic).file.topic.retention_ms
