"""The SQL of the comparison: every lineage becomes rows of one temporary table, `figures`.

One row per lineage, window size, window, dimension and value; a cell's evidence is then one GROUP
BY, and only cells that differ ever leave PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from psycopg import sql

from roas_batch.postgres import Connection
from roas_batch.reconcile.causes import Cell, Evidence, Figures
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS

MEASURES: Final = Figures._fields

SIZES: Final[Mapping[str, str]] = {"1m": "1 minute", "5m": "5 minutes"}
"""Window sizes as PostgreSQL's intervals."""

BATCH, LAGGING, TAIL, HOLE, DEAD, TOPIC, REALTIME, CORRECTED = _PARTS = (
    "batch",
    "lagging",
    "tail",
    "hole",
    "dead",
    "topic",
    "realtime",
    "corrected",
)

_SUMS: Final = ", ".join(f"sum({name})::bigint" for name in MEASURES)

CREATE: Final = f"""
    CREATE TEMPORARY TABLE figures (
        what text NOT NULL, size text NOT NULL, window_start timestamptz NOT NULL,
        dimension text NOT NULL, value text NOT NULL,
        {", ".join(f"{name} bigint NOT NULL" for name in MEASURES)},
        on_time_deltas bigint NOT NULL DEFAULT 0);
    CREATE TEMPORARY TABLE unarchived (
        what text NOT NULL, topic text NOT NULL, event_time timestamptz NOT NULL,
        campaign_id text NOT NULL, placement_type text NOT NULL, placement_id text NOT NULL,
        banner_pos integer NOT NULL, device_type integer NOT NULL,
        cost_micros bigint NOT NULL, revenue_micros bigint NOT NULL);
    CREATE TEMPORARY TABLE dead (topic text NOT NULL, partition integer NOT NULL,
        "offset" bigint NOT NULL)
"""

_DIMENSIONS: Final = "campaign_id, placement_type, placement_id, banner_pos, device_type"

_RAW: Final[Mapping[str, tuple[str, str]]] = {
    AD_IMPRESSIONS: ("raw.ad_impressions", "1 AS i, 0 AS c, 0 AS v, cost_micros AS m, 0 AS r"),
    AD_CLICKS: ("raw.ad_clicks", "0 AS i, 1 AS c, 0 AS v, cost_micros AS m, 0 AS r"),
    AD_CONVERSIONS: ("raw.ad_conversions", "0 AS i, 0 AS c, 1 AS v, 0 AS m, revenue_micros AS r"),
}

_UNARCHIVED: Final = f"""
    SELECT event_time, {_DIMENSIONS},
        (topic = '{AD_IMPRESSIONS}')::integer AS i, (topic = '{AD_CLICKS}')::integer AS c,
        (topic = '{AD_CONVERSIONS}')::integer AS v, cost_micros AS m, revenue_micros AS r
    FROM unarchived WHERE what = %(what)s
"""


class FiguresTable:
    """The temporary tables of one session.

    Args:
        connection: to PostgreSQL; the tables end with it.
        day: the event day.
    """

    def __init__(self, connection: Connection, day: date) -> None:
        self._connection = connection
        self._day = day
        connection.execute("SET work_mem = '128MB'")
        connection.execute(CREATE)

    def count_batch(self) -> None:
        """What raw says of the day."""
        self._connection.execute("DELETE FROM figures WHERE what = %s", (BATCH,))
        self._count(BATCH, _raw({topic: "true" for topic in _RAW}))

    def count_lagging(self, passed: Mapping[tuple[str, int], int]) -> None:
        """What of raw the stream has not passed.

        Args:
            passed: first offset that the stream has not passed, by topic and partition.
        """
        self._connection.execute("DELETE FROM figures WHERE what = %s", (LAGGING,))
        conditions: dict[str, str] = {}
        for (topic, partition), offset in passed.items():
            condition = f'(partition = {int(partition)} AND "offset" >= {int(offset)})'
            conditions[topic] = (
                f"{conditions[topic]} OR {condition}" if topic in conditions else condition
            )
        if conditions:
            self._count(LAGGING, _raw(conditions))

    def count_dead(self, positions: Sequence[tuple[str, int, int]]) -> None:
        """What of raw the stream has dead-lettered: topic, partition, offset of each."""
        self._connection.execute("DELETE FROM figures WHERE what = %s", (DEAD,))
        self._connection.execute("TRUNCATE dead")
        self._copy("dead", ("topic", "partition", "offset"), positions)
        among = (
            '(partition, "offset") IN (SELECT partition, "offset" FROM dead WHERE topic = \'{}\')'
        )
        self._count(DEAD, _raw({topic: among.format(topic) for topic in _RAW}))

    def forget_unarchived(self) -> None:
        """Before `add_unarchived`."""
        self._connection.execute("TRUNCATE unarchived")

    def add_unarchived(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Events that Kafka has and the archive has not: TAIL or HOLE, then the table's columns."""
        columns = ("what", "topic", "event_time", *_DIMENSIONS.split(", "))
        self._copy("unarchived", (*columns, "cost_micros", "revenue_micros"), rows)

    def count_unarchived(self) -> None:
        """Make figures of them."""
        for what in (TAIL, HOLE):
            self._connection.execute("DELETE FROM figures WHERE what = %s", (what,))
            self._count(what, _UNARCHIVED)

    def add_deltas(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Deltas of the metrics topics: TOPIC, size, window, dimension, value, the measures."""
        self._copy(
            "figures", ("what", "size", "window_start", "dimension", "value", *MEASURES), rows
        )

    def take_realtime(self) -> None:
        """What the realtime tables say of the day, in the snapshot of the transaction."""
        self._connection.execute(
            "DELETE FROM figures WHERE what IN (%s, %s)", (REALTIME, CORRECTED)
        )
        for size in SIZES:
            of_the_day = (
                f" FROM realtime_v1.metrics_{size} WHERE window_start >= %(first)s"
                " AND window_start < %(end)s"
            )
            values = {"size": size, **self._bounds()}
            self._connection.execute(
                f"INSERT INTO figures SELECT '{REALTIME}', %(size)s, window_start, dimension,"
                f" value, {_SUMS}, sum(on_time_deltas)::bigint {of_the_day} GROUP BY 1, 2, 3, 4, 5",
                values,
            )
            corrections = ", ".join(f"correction_{name}" for name in MEASURES)
            self._connection.execute(
                f"INSERT INTO figures SELECT '{CORRECTED}', %(size)s, window_start, dimension,"
                f" value, {corrections} {of_the_day} AND correction_deltas > 0",
                values,
            )

    def compared(self, closed: Mapping[str, Any]) -> int:
        """How many cells of the batch or of realtime lie in closed windows.

        Args:
            closed: newest closed window's start by size.
        """
        condition, values = _closed(closed)
        row = self._connection.execute(
            "SELECT count(DISTINCT (size, window_start, dimension, value)) FROM figures"
            f" WHERE what IN ('{BATCH}', '{REALTIME}') AND {condition}",
            values,
        ).fetchone()
        assert row is not None
        return int(row[0])

    def open_events(self, closed: Mapping[str, Any]) -> int:
        """Events of the batch in one-minute windows that are not closed yet."""
        condition, values = _closed(closed)
        row = self._connection.execute(
            "SELECT coalesce(sum(impressions + clicks + conversions), 0)::bigint FROM figures"
            f" WHERE what = '{BATCH}' AND size = '1m' AND dimension = 'total' AND NOT {condition}",
            values,
        ).fetchone()
        assert row is not None
        return int(row[0])

    def differing(
        self, closed: Mapping[str, Any], topics: Mapping[str, bool]
    ) -> Iterator[Evidence]:
        """The evidence of every closed cell whose figures differ, ordered.

        Args:
            closed: newest closed window's start by size.
            topics: for each size whether all deltas of the day are retained in its topic.
        """
        condition, values = _closed(closed)
        sums = ", ".join(_total(what, name) for what in _PARTS for name in MEASURES)
        batch, realtime, topic = (
            f"ROW({', '.join(_total(what, name) for name in MEASURES)})"
            for what in (BATCH, REALTIME, TOPIC)
        )
        known = [size for size, retained in topics.items() if retained]
        query = (
            "SELECT size, (extract(epoch FROM window_start) * 1000)::bigint, dimension, value,"
            f" bool_or(what = '{REALTIME}'), sum(on_time_deltas)::bigint, {sums}"
            f" FROM figures WHERE {condition} GROUP BY size, window_start, dimension, value"
            f" HAVING {batch} <> {realtime} OR (size = ANY(%(known)s) AND {topic} <> {realtime})"
            " ORDER BY size, window_start, dimension, value"
        )
        with self._connection.cursor(name="differing") as cursor:
            cursor.itersize = 5_000
            cursor.execute(query.encode(), {**values, "known": known})
            for size, start, dimension, value, present, closings, *all_sums in cursor:
                parts = {
                    what: Figures(*all_sums[n * len(MEASURES) : (n + 1) * len(MEASURES)])
                    for n, what in enumerate(_PARTS)
                }
                yield Evidence(
                    cell=Cell(size, start, dimension, value),
                    batch=parts[BATCH],
                    realtime=parts[REALTIME] if present else None,
                    topic=parts[TOPIC] if topics[size] else None,
                    on_time_deltas=closings,
                    lagging=parts[LAGGING],
                    tail=parts[TAIL],
                    hole=parts[HOLE],
                    dead=parts[DEAD],
                    corrected=parts[CORRECTED],
                )

    def positions(self, cell: Cell) -> list[dict[str, Any]]:
        """Which records of raw make up a cell: topic, partition, offsets from and to, how many."""
        dimension = {
            "total": "true",
            "campaign": "campaign_id = %(value)s",
            "placement": f"{_PLACEMENT} = %(value)s",
            "banner_pos": "banner_pos::text = %(value)s",
            "device_type": "device_type::text = %(value)s",
        }.get(cell.dimension, "false")
        parts = " UNION ALL ".join(
            f'SELECT \'{topic}\', partition, min("offset"), max("offset"), count(*) FROM {table}'
            f" WHERE event_day = %(day)s AND {dimension}"
            " AND event_time >= to_timestamp(%(start)s / 1000.0)"
            f" AND event_time < to_timestamp(%(start)s / 1000.0) + interval '{SIZES[cell.size]}'"
            " GROUP BY partition"
            for topic, (table, _) in _RAW.items()
        )
        rows = self._connection.execute(
            parts.encode(),
            {"day": self._day, "start": cell.window_start, "value": cell.value},
        ).fetchall()
        names = ("topic", "partition", "from_offset", "last_offset", "records")
        return [dict(zip(names, row, strict=True)) for row in sorted(rows)]

    def _count(self, what: str, events: str) -> None:
        values = {"what": what, "day": self._day}
        self._connection.execute(_counting(events).encode(), values)
        self._connection.execute(_FIVE_MINUTES.encode(), values)

    def _bounds(self) -> dict[str, Any]:
        return {"first": f"{self._day}Z", "end": f"{self._day + timedelta(days=1)}Z"}

    def _copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


_PLACEMENT: Final = (
    "CASE placement_type WHEN 'SITE' THEN 'site:' WHEN 'APP' THEN 'app:' ELSE 'unknown:' END"
    " || placement_id"
)


def _raw(conditions: Mapping[str, str]) -> str:
    """Events of the day from raw, of the topics that have a condition."""
    return " UNION ALL ".join(
        f"SELECT event_time, {_DIMENSIONS}, {_RAW[topic][1]} FROM {_RAW[topic][0]}"
        f" WHERE event_day = %(day)s AND ({condition})"
        for topic, condition in conditions.items()
    )


def _counting(events: str) -> str:
    """Figures of one-minute windows."""
    return f"""
        INSERT INTO figures
        SELECT %(what)s, '1m', w,
            CASE WHEN grouping(campaign_id) = 0 THEN 'campaign'
                WHEN grouping(placement_id) = 0 THEN 'placement'
                WHEN grouping(banner_pos) = 0 THEN 'banner_pos'
                WHEN grouping(device_type) = 0 THEN 'device_type' ELSE 'total' END,
            CASE WHEN grouping(campaign_id) = 0 THEN campaign_id
                WHEN grouping(placement_id) = 0 THEN {_PLACEMENT}
                WHEN grouping(banner_pos) = 0 THEN banner_pos::text
                WHEN grouping(device_type) = 0 THEN device_type::text ELSE 'all' END,
            sum(i), sum(c), sum(v), sum(m)::bigint, sum(r)::bigint
        FROM (SELECT date_bin('1 minute', event_time, timestamptz 'epoch') AS w, * FROM ({events})
            AS events) AS windows
        GROUP BY GROUPING SETS ((w), (w, campaign_id), (w, placement_type, placement_id),
            (w, banner_pos), (w, device_type))
    """


_FIVE_MINUTES: Final = f"""
    INSERT INTO figures
    SELECT what, '5m', date_bin('5 minutes', window_start, timestamptz 'epoch'), dimension, value,
        {_SUMS}
    FROM figures WHERE what = %(what)s AND size = '1m' GROUP BY 1, 3, 4, 5
"""
"""Those of five minutes, from them."""


def _total(what: str, measure: str) -> str:
    return f"coalesce(sum({measure}) FILTER (WHERE what = '{what}'), 0)::bigint"


def _closed(closed: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A condition on a window being closed, and its parameters."""
    parts = [f"(size = '{size}' AND window_start <= %(closed_{size})s)" for size in closed]
    values = {f"closed_{size}": newest for size, newest in closed.items()}
    return f"({' OR '.join(parts) or 'false'})", values
