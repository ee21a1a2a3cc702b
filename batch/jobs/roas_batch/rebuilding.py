"""A day of raw, built from the archive: all of it at once, or as it was.

The day's tables are built aside, by several processes. One transaction then attaches them in the
place of the former ones and writes `batch.days`. A kill before it leaves tables that nobody reads,
which the next build of the day removes; the lock of the day is held by the session that ends with
that transaction, so what a killed builder's workers still copy is never attached.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
from psycopg import errors, sql

from roas_batch.catalog import ArchivedRange, Catalog, fingerprint
from roas_batch.crew import in_parallel
from roas_batch.loading import Loaded, LoadTask, load_file
from roas_batch.postgres import Connection, translated
from roas_contracts.errors import RoasError, TransientError
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS, EVENT_TOPICS

_LOCK_SECONDS: Final = 60

TABLES: Final[Mapping[str, str]] = {topic: topic.replace("-", "_") for topic in EVENT_TOPICS}
"""The table in raw of each event topic."""


class FewerRowsError(RoasError):
    """The archive would give a day fewer rows than it has."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a built day holds, as in batch.days."""

    day: date
    impressions: int
    clicks: int
    conversions: int
    duplicate_impressions: int
    duplicate_clicks: int
    duplicate_conversions: int
    poison: int


@dataclass(frozen=True, slots=True)
class Built:
    """The outcome of a rebuilding."""

    changed: bool
    day: Day


class Rebuilder:
    """Builds days.

    Args:
        dsn: of PostgreSQL, for the workers.
        connection: to it, in autocommit mode; it holds the lock.
        archive: the archive's folder.
        workers: how many processes load.
        progress: told each file's number of rows when it is loaded.
    """

    def __init__(
        self,
        dsn: str,
        connection: Connection,
        archive: Path,
        workers: int,
        progress: Callable[[int], None],
    ) -> None:
        self._dsn = dsn
        self._connection = connection
        self._archive = archive
        self._workers = workers
        self._progress = progress

    def rebuild(self, day: date, *, force: bool = False, fewer: bool = False) -> Built:
        """Build a day from all live files with events of it.

        Args:
            day: the UTC event day.
            force: also where nothing has changed.
            fewer: also where it comes out smaller than it is.

        Raises:
            InputError: a file is damaged. The day stays as it was.
            FewerRowsError: see `fewer`. The day stays as it was.
            TransientError: PostgreSQL does not answer, or another one builds the day.
        """
        with translated():
            self._lock(day)
            try:
                ranges = Catalog(self._connection).ranges(day)
                before = self._built(day)
                mark = fingerprint(ranges)
                if before is not None and before[0] == mark and not force:
                    return Built(False, before[1])
                self._remove_leftovers(day)
                return Built(True, self._build(day, ranges, mark, before and before[1], fewer))
            finally:
                self._unlock(day)

    def _build(
        self,
        day: date,
        ranges: Sequence[ArchivedRange],
        mark: str,
        before: Day | None,
        fewer: bool,
    ) -> Day:
        build = secrets.token_hex(4)
        asides = {topic: f"{TABLES[topic]}_{day:%Y%m%d}_{build}" for topic in EVENT_TOPICS}
        try:
            for topic, aside in asides.items():
                self._create(TABLES[topic], aside, day)
            loaded = self._load(day, ranges, asides)
            rows = {t: sum(each.rows for each in loaded if each.topic == t) for t in asides}
            for topic, aside in asides.items():
                if rows[topic]:
                    self._finish(aside)
            doubles = {t: self._duplicates(asides[t], t, loaded) for t in asides}
            built = Day(
                day,
                rows[AD_IMPRESSIONS],
                rows[AD_CLICKS],
                rows[AD_CONVERSIONS],
                doubles[AD_IMPRESSIONS],
                doubles[AD_CLICKS],
                doubles[AD_CONVERSIONS],
                sum(each.poison for each in loaded),
            )
            if before is not None and not fewer:
                _check_not_fewer(before, built)
            self._swap(built, rows, asides, mark)
        except BaseException:
            self._drop_quietly(asides.values())
            raise
        return built

    def _load(
        self, day: date, ranges: Sequence[ArchivedRange], asides: Mapping[str, str]
    ) -> list[Loaded]:
        tasks = [
            LoadTask(
                dsn=self._dsn,
                archive=self._archive,
                file=each.file,
                file_sha256=each.file_sha256,
                topic=each.topic,
                partition=each.partition,
                day=day,
                table=asides[each.topic],
            )
            for each in sorted(ranges, key=lambda each: -each.events)  # The largest first.
        ]
        loaded = []
        for each in in_parallel(load_file, tasks, self._workers):
            self._progress(each.rows)
            loaded.append(each)
        return loaded

    def _create(self, parent: str, aside: str, day: date) -> None:
        # The check spares the attaching a look at every row.
        self._connection.execute(
            sql.SQL(
                "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING STORAGE,"
                " CHECK (event_day = {}::date))"
            ).format(_table(aside), _table(parent), sql.Literal(day.isoformat()))
        )

    def _finish(self, aside: str) -> None:
        with self._connection.transaction():
            self._connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
            self._connection.execute(
                sql.SQL('ALTER TABLE {} ADD PRIMARY KEY (event_day, partition, "offset")').format(
                    _table(aside)
                )
            )
        self._connection.execute(sql.SQL("ANALYZE {}").format(_table(aside)))

    def _duplicates(self, aside: str, topic: str, loaded: Sequence[Loaded]) -> int:
        """Rows whose event id another row has already."""
        hashes = [each.id_hashes for each in loaded if each.topic == topic]
        together = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
        together.sort()
        if not (together[1:] == together[:-1]).any():
            return 0
        # Equal ids, or two that happen to have one hash: PostgreSQL knows.
        row = self._connection.execute(
            sql.SQL("SELECT count(*) - count(DISTINCT event_id) FROM {}").format(_table(aside))
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _swap(
        self, built: Day, rows: Mapping[str, int], asides: Mapping[str, str], mark: str
    ) -> None:
        with self._connection.transaction():
            self._connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            for topic, aside in asides.items():
                name = f"{TABLES[topic]}_{built.day:%Y%m%d}"
                self._connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(name)))
                if not rows[topic]:
                    self._connection.execute(sql.SQL("DROP TABLE {}").format(_table(aside)))
                    continue
                self._connection.execute(
                    sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                        _table(TABLES[topic]),
                        _table(aside),
                        sql.Literal(built.day.isoformat()),
                    )
                )
                self._connection.execute(
                    sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                        _table(aside), sql.Identifier(name)
                    )
                )
            self._connection.execute(
                "INSERT INTO batch.days (day, built_at, fingerprint, impressions, clicks,"
                " conversions, duplicate_impressions, duplicate_clicks, duplicate_conversions,"
                " poison) VALUES (%(day)s, clock_timestamp(), %(fingerprint)s, %(impressions)s,"
                " %(clicks)s, %(conversions)s, %(duplicate_impressions)s, %(duplicate_clicks)s,"
                " %(duplicate_conversions)s, %(poison)s)"
                " ON CONFLICT (day) DO UPDATE SET built_at = excluded.built_at,"
                " fingerprint = excluded.fingerprint, impressions = excluded.impressions,"
                " clicks = excluded.clicks, conversions = excluded.conversions,"
                " duplicate_impressions = excluded.duplicate_impressions,"
                " duplicate_clicks = excluded.duplicate_clicks,"
                " duplicate_conversions = excluded.duplicate_conversions,"
                " poison = excluded.poison",
                {**asdict(built), "fingerprint": mark},
            )

    def _built(self, day: date) -> tuple[str, Day] | None:
        row = self._connection.execute(
            "SELECT fingerprint, impressions, clicks, conversions, duplicate_impressions,"
            " duplicate_clicks, duplicate_conversions, poison FROM batch.days WHERE day = %s",
            (day,),
        ).fetchone()
        return None if row is None else (row[0], Day(day, *row[1:]))

    def _lock(self, day: date) -> None:
        try:
            with self._connection.transaction():
                self._connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                self._connection.execute(
                    "SELECT pg_advisory_lock(hashtextextended(%s, 0))", (_lock_name(day),)
                )
        except errors.LockNotAvailable as error:
            raise TransientError(f"another run is building {day}: try again later") from error

    def _unlock(self, day: date) -> None:
        try:
            self._connection.execute(
                "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (_lock_name(day),)
            )
        except psycopg.Error:
            # The session is gone, and the lock with it; what went wrong is on its way already.
            return

    def _remove_leftovers(self, day: date) -> None:
        """Drop tables of builds of this day that were killed: we hold the day's lock."""
        rows = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'raw'::regnamespace"
            " AND relkind = 'r' AND NOT relispartition AND relname ~ %s",
            (f"^({'|'.join(TABLES.values())})_{day:%Y%m%d}_[0-9a-f]{{8}}$",),
        ).fetchall()
        self._drop_quietly(name for (name,) in rows)

    def _drop_quietly(self, names: Iterable[str]) -> None:
        """Drop tables that nobody reads; one that is still copied into stays for the next time."""
        for name in names:
            try:
                with self._connection.transaction():
                    self._connection.execute("SET LOCAL lock_timeout = '2s'")
                    self._connection.execute(
                        sql.SQL("DROP TABLE IF EXISTS {}").format(_table(name))
                    )
            except psycopg.Error:
                return


def _check_not_fewer(before: Day, built: Day) -> None:
    for what in ("impressions", "clicks", "conversions"):
        had, has = getattr(before, what), getattr(built, what)
        if has < had:
            raise FewerRowsError(
                f"{built.day} has {had} {what}, the archive would give it {has}: it stays as it "
                "was. --fewer builds it all the same"
            )


def _table(name: str) -> sql.Identifier:
    return sql.Identifier("raw", name)


def _lock_name(day: date) -> str:
    return f"roas rebuild {day.isoformat()}"
