"""Lineage six: the batch. What the archive says it holds, and raw's rows, counted by our own SQL.

The archive is behind Kafka at any moment, so both sides are cut at the offset up to which it had
come when the ledger began: Kafka's records before that offset against what was made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from roas_ledger.postgres_lineage import PostgresLineage, explained
from roas_ledger.record import Partition
from roas_ledger.totals import Cell, Series

LINEAGE = "raw"
ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Archived:
    """One partition of the archive: its live ranges, summed."""

    cluster_id: str
    first: int
    end: int
    """First offset behind it."""
    offsets: int
    """How many offsets its ranges have: fewer than `end` - `first` if there is a hole."""
    records: int


@dataclass(frozen=True, slots=True)
class BuiltDay:
    """A day of raw. A stale one lacks files that were archived after it was built."""

    day: date
    stale: bool

    @property
    def start_ms(self) -> int:
        """The day's first moment, epoch milliseconds."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        return int(midnight.timestamp()) * 1000

    @property
    def end_ms(self) -> int:
        """The next day's first moment."""
        return self.start_ms + int(timedelta(days=1).total_seconds()) * 1000


def archived(postgres: PostgresLineage) -> dict[Partition, Archived]:
    """What is archived of each event partition; empty where there is no batch."""
    rows = _rows(
        postgres,
        "SELECT topic, partition, min(cluster_id), min(from_offset), max(to_offset),"
        " sum(to_offset - from_offset)::bigint,"
        " sum(events + heartbeats + poison + skipped)::bigint"
        " FROM batch.archived_ranges WHERE retired_at IS NULL GROUP BY 1, 2",
    )
    return {(topic, partition): Archived(*rest) for topic, partition, *rest in rows}


def built_days(postgres: PostgresLineage) -> list[BuiltDay]:
    """The days that raw holds, but for those that retention has dropped."""
    return [
        BuiltDay(day, stale)
        for day, stale in _rows(
            postgres,
            "SELECT day, EXISTS (SELECT FROM batch.archived_ranges AS r WHERE d.day ="
            " ANY(r.event_days) AND r.retired_at IS NULL AND r.archived_at > d.built_at)"
            " FROM batch.days AS d WHERE NOT EXISTS (SELECT FROM batch.expired_partitions AS e"
            " WHERE e.day = d.day AND e.parent LIKE 'raw.%' AND to_regclass(e.partition) IS NULL)"
            " ORDER BY day",
        )
    ]


def raw_windows(
    postgres: PostgresLineage, day: date, ends: Mapping[Partition, int]
) -> Iterator[tuple[int, dict[Series, Cell]]]:
    """Every one-minute window of a day as raw counts it, oldest first.

    Args:
        postgres: the snapshot.
        day: the UTC event day.
        ends: per partition the offset before which rows count.
    """
    parameters: dict[str, Any] = {"day": day}
    parts = []
    for topic, counts in _TOPICS.items():
        own = {partition: end for (name, partition), end in ends.items() if name == topic}
        key = topic.removeprefix("ad-")
        parameters |= {f"{key}_partitions": list(own), f"{key}_ends": list(own.values())}
        parts.append(
            "SELECT event_time, campaign_id, placement_type, placement_id, banner_pos, device_type,"
            f" {counts} FROM raw.{topic.replace('-', '_')} AS r JOIN"
            f" unnest(%({key}_partitions)s::integer[], %({key}_ends)s::bigint[])"
            ' AS ends (partition, behind) ON ends.partition = r.partition AND r."offset" < behind'
            " WHERE event_day = %(day)s"
        )
    query = _COUNT.format(events=" UNION ALL ".join(parts))
    current: int | None = None
    cells: dict[Series, Cell] = {}
    try:
        with postgres.connection.cursor(name="ledger_raw") as cursor:
            cursor.itersize = 5_000
            cursor.execute(query.encode(), parameters)
            for start, dimension, value, *sums in cursor:
                if current is not None and start != current:
                    yield current, cells
                    cells = {}
                current = start
                cells[dimension, value] = [int(each) for each in sums]
    except psycopg.Error as error:
        raise explained(error) from error
    if current is not None:
        yield current, cells


_TOPICS = {
    "ad-impressions": "1 AS i, 0 AS c, 0 AS v, cost_micros AS cost, 0 AS revenue",
    "ad-clicks": "0 AS i, 1 AS c, 0 AS v, cost_micros AS cost, 0 AS revenue",
    "ad-conversions": "0 AS i, 0 AS c, 1 AS v, 0 AS cost, revenue_micros AS revenue",
}

_COUNT = """
    WITH cells AS (
        SELECT (floor(extract(epoch FROM event_time) / 60) * 60000)::bigint AS start, d.*,
            i, c, v, cost, revenue
        FROM ({events}) AS events CROSS JOIN LATERAL (VALUES
            ('total', 'all'), ('campaign', campaign_id),
            ('placement', lower(placement_type) || ':' || placement_id),
            ('banner_pos', banner_pos::text), ('device_type', device_type::text)
        ) AS d (dimension, value)
    )
    SELECT start, dimension, value, sum(i), sum(c), sum(v), sum(cost), sum(revenue)
    FROM cells GROUP BY 1, 2, 3 ORDER BY 1
"""


def _rows(postgres: PostgresLineage, query: str) -> list[tuple[Any, ...]]:
    try:
        return postgres.connection.execute(query.encode()).fetchall()
    except psycopg.errors.UndefinedTable:
        # A database without the batch's tables: there is no such lineage.
        postgres.connection.rollback()
        return []
    except psycopg.Error as error:
        raise explained(error) from error
