"""Day partitions that are old by event time are dropped: those whose archive is whole, no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from psycopg import sql

from roas_batch.catalog import ArchivedRange, fingerprint
from roas_batch.postgres import Connection

PARENTS: Final = (
    "raw.ad_impressions",
    "raw.ad_clicks",
    "raw.ad_conversions",
    "realtime.metrics_1m",
    "realtime.metrics_5m",
)
"""Tables that are partitioned by day."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One day's table of a parent."""

    day: date
    parent: str
    name: str
    """With its schema."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A day that is old enough to go and stays all the same."""

    day: date
    why: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """What retention may drop, and what it must not."""

    newest_day: date | None
    drop: Sequence[Partition]
    keep: Sequence[Kept]


def expiry(
    partitions: Iterable[Partition],
    built: Mapping[date, str],
    ranges: Callable[[date], Sequence[ArchivedRange]],
    problem: Callable[[Sequence[ArchivedRange]], str | None],
    days: int,
) -> Expiry:
    """Decide by event time.

    Args:
        partitions: all there are.
        built: days that raw was built of, with their fingerprints.
        ranges: the archive's live files with a day.
        problem: what is wrong with files; asked for old days only.
        days: how many days behind the newest event day stay.
    """
    by_day: dict[date, list[Partition]] = {}
    for each in partitions:
        by_day.setdefault(each.day, []).append(each)
    if not by_day:
        return Expiry(None, [], [])
    newest = max(by_day)
    drop: list[Partition] = []
    keep: list[Kept] = []
    for day in sorted(day for day in by_day if day <= newest - timedelta(days=days)):
        archived = ranges(day)
        if not archived or day not in built:
            keep.append(Kept(day, "it is not archived and built"))
        elif fingerprint(archived) != built[day]:
            keep.append(Kept(day, "it is not built from all that is archived of it"))
        elif (wrong := problem(archived)) is not None:
            keep.append(Kept(day, wrong))
        else:
            drop.extend(sorted(by_day[day]))
    return Expiry(newest, drop, keep)


def partitions(connection: Connection) -> list[Partition]:
    """Every day partition there is."""
    rows = connection.execute(
        "SELECT inhparent::regclass::text, inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = ANY(%s::regclass[])",
        (list(PARENTS),),
    ).fetchall()
    return [Partition(date.fromisoformat(name[-8:]), parent, name) for parent, name in rows]


def drop(connection: Connection, expired: Iterable[Partition]) -> dict[str, int]:
    """Drop partitions, each in one transaction with the note of it; rows of each.

    Repeating it changes nothing. Readers of the parent are locked out for a moment only: a
    partition that is in use for longer than five seconds is a TransientError.
    """
    dropped: dict[str, int] = {}
    for each in expired:
        schema, _, table = each.name.partition(".")
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '5s'")
            counted = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            ).fetchone()
            assert counted is not None
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, table)))
            connection.execute(
                "INSERT INTO batch.expired_partitions (partition, parent, day, rows)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (partition) DO UPDATE"
                " SET rows = excluded.rows, expired_at = now()",
                (each.name, each.parent, each.day, counted[0]),
            )
        dropped[each.name] = int(counted[0])
    return dropped
