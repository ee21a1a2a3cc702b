"""One look at a day: all lineages as they stand, and every difference with its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from roas_batch import STREAM_GROUP
from roas_batch.catalog import Catalog, stale_days
from roas_batch.kafka import LostError
from roas_batch.planning import Log, Range
from roas_batch.postgres import Connection
from roas_batch.reconcile.causes import NO_ERRORS, Cause, Cell, Counter, Evidence, explain
from roas_batch.reconcile.corrections import Correction, correction_of
from roas_batch.reconcile.coverage import Coverage, coverage
from roas_batch.reconcile.dead_letters import dead_positions
from roas_batch.reconcile.deltas import SIZE_OF_TOPIC, Deltas
from roas_batch.reconcile.figures import FiguresTable
from roas_batch.reconcile.kafka_gone import judge_gone
from roas_batch.reconcile.unarchived import Unarchived
from roas_batch.reconcile.watching import Position, WatchedKafka
from roas_contracts.decoder import Schemas
from roas_contracts.errors import TransientError
from roas_contracts.events import DEAD_LETTERS, EVENT_TOPICS

CACHE_GROUP: Final = "cache-writer"
_SHOWN: Final = 200
_PLACED: Final = 20
"""Differences for which the records behind them are looked up."""


class NothingToCompareError(TransientError):
    """The day can't be compared (yet): a comparison of nothing is no success."""


@dataclass(slots=True)
class Look:
    """What one look found."""

    day: date
    closed: Mapping[str, datetime]
    """Newest closed window by size."""
    compared: int = 0
    open_events: int = 0
    counter: Counter = field(default_factory=lambda: Counter(_SHOWN))
    corrections: list[Correction] = field(default_factory=list)
    uncorrectable: int = 0
    """Errors that no correction of ours makes good."""
    notes: list[str] = field(default_factory=list)
    consumed: Mapping[Position, int] = field(default_factory=dict)
    """Up to where the cache writer has counted."""
    passed: Mapping[Position, int] = field(default_factory=dict)
    """Up to where the stream has read."""

    @property
    def agrees(self) -> bool:
        """Whether nothing was found that is an error."""
        return not self.counter.errors


class Comparison:
    """Compares one day, as often as it is asked to.

    Args:
        connection: to PostgreSQL, for this comparison alone: it holds temporary tables.
        kafka: Kafka.
        schemas: of writers.
        currency: the reporting currency.
        day: the event day.
        most_unarchived: most offsets that are read from Kafka because they are not archived.
    """

    def __init__(
        self,
        connection: Connection,
        kafka: WatchedKafka,
        schemas: Schemas,
        currency: str,
        day: date,
        most_unarchived: int,
    ) -> None:
        self._connection = connection
        self._kafka = kafka
        self._schemas = schemas
        self._currency = currency
        self._day = day
        self._most_unarchived = most_unarchived
        self._catalog = Catalog(connection)
        self._check_ready()
        self._figures = FiguresTable(connection, day)
        self._figures.count_batch()
        self._raw_differs = self._raw_against_days()
        self.deltas = Deltas(kafka, schemas, currency, day, self._figures)
        self.deltas.begin(kafka.logs(SIZE_OF_TOPIC), self._earliest_sent_ms())
        self._unarchived = Unarchived(kafka, schemas, currency, day, self._figures)

    def look(self) -> Look:
        """Compare once, everything that realtime holds in one snapshot.

        Raises:
            NothingToCompareError: no window of the day is closed, or nothing is in any.
            TransientError: Kafka, the registry or PostgreSQL does not answer.
        """
        logs = self._kafka.logs(EVENT_TOPICS)
        of_the_day = self._catalog.ranges(self._day)
        found = coverage(logs, of_the_day, self._catalog.known(EVENT_TOPICS))
        # Before the snapshot: what the stream passes after this is not expected in it.
        positions = [(log.topic, log.partition) for log in logs]
        passed = self._kafka.passed(STREAM_GROUP, positions)
        self._figures.count_lagging(_behind(passed, found.ends))
        holes = self._count_unarchived(found, passed)
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            look = Look(self._day, self._closed(), passed=passed, consumed=self._consumed())
            self._read_deltas(look.consumed)
            self._figures.take_realtime()
            look.compared = self._figures.compared(look.closed)
            look.open_events = self._figures.open_events(look.closed)
            evidence = self._differing(look)
            lacks = self._enter_batch(look, found, holes)
            placed: list[tuple[Cell, dict[str, object]]] = []
            for each in evidence:
                self._enter(look, each, lacks, placed)
            for cell, description in placed:
                description["records"] = self._figures.positions(cell)
        if not look.compared:
            raise NothingToCompareError(
                f"{self._day} has nothing in closed windows: nothing was compared"
            )
        for gone in judge_gone(self._connection, self._day, found.gone):
            look.counter.add(gone.cause, gone.description)
            look.uncorrectable += gone.cause not in NO_ERRORS
        self._note(look)
        return look

    def _check_ready(self) -> None:
        built = self._catalog.built()
        if self._day not in built:
            raise NothingToCompareError(
                f"raw has no {self._day}: archive it, then `rebuild --day {self._day}`"
            )
        ranges = self._catalog.ranges(self._day)
        if self._day in stale_days(ranges, built):
            raise NothingToCompareError(
                f"{self._day} is not built from all that is archived of it: "
                f"`rebuild --day {self._day}` first"
            )
        expired = self._connection.execute(
            "SELECT partition FROM batch.expired_partitions WHERE day = %s"
            " AND to_regclass(partition) IS NULL ORDER BY 1",
            (self._day,),
        ).fetchall()
        if expired:
            raise NothingToCompareError(
                f"retention has dropped {', '.join(name for (name,) in expired)}: "
                f"{self._day} can't be compared any more"
            )

    def _raw_against_days(self) -> list[dict[str, object]]:
        """Raw tables with another number of rows than `batch.days` says they were built with."""
        found: list[dict[str, object]] = []
        for measure in ("impressions", "clicks", "conversions"):
            row = self._connection.execute(
                f"SELECT {measure}, (SELECT count(*) FROM raw.ad_{measure} WHERE event_day = day)"
                " FROM batch.days WHERE day = %s",
                (self._day,),
            ).fetchone()
            assert row is not None
            if row[0] != row[1]:
                found.append(
                    {
                        "cause": Cause.RAW_MISSING,
                        "place": f"raw.ad_{measure}",
                        "says": "batch.days, raw",
                        "expected": row[0],
                        "got": row[1],
                    }
                )
        return found

    def _earliest_sent_ms(self) -> int:
        parts = " UNION ALL ".join(
            f"SELECT min(record_timestamp) AS sent FROM raw.ad_{name} WHERE event_day = %(day)s"
            for name in ("impressions", "clicks", "conversions")
        )
        row = self._connection.execute(
            f"SELECT coalesce(min(extract(epoch FROM sent) * 1000), 0)::bigint FROM ({parts})"
            " AS each",
            {"day": self._day},
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _closed(self) -> dict[str, datetime]:
        rows = self._connection.execute(
            "SELECT window_size, newest_complete_window_start FROM realtime_v1.freshness"
            " WHERE newest_complete_window_start IS NOT NULL"
        ).fetchall()
        if not rows:
            raise NothingToCompareError("the stream has closed no window yet: nothing to compare")
        return dict(rows)

    def _consumed(self) -> dict[Position, int]:
        rows = self._connection.execute(
            "SELECT topic, partition, next_offset FROM realtime.consumed_offsets"
            " WHERE consumer_group = %s AND topic = ANY(%s)",
            (CACHE_GROUP, list(SIZE_OF_TOPIC)),
        ).fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def _read_deltas(self, consumed: Mapping[Position, int]) -> None:
        try:
            self.deltas.read_to(consumed)
        except LostError as error:
            raise TransientError("deltas are being deleted just now: try again") from error

    def _count_unarchived(
        self, found: Coverage, passed: Mapping[Position, int]
    ) -> dict[Range, int]:
        offsets = sum(each.to_offset - each.from_offset for each in found.unarchived)
        if offsets > self._most_unarchived:
            raise NothingToCompareError(
                f"{offsets:,} offsets of the event topics are not archived yet: archive first"
            )
        return self._unarchived.count(found.unarchived, found.ends, passed)

    def _differing(self, look: Look) -> list[Evidence]:
        def ask() -> list[Evidence]:
            return list(self._figures.differing(look.closed, self.deltas.retained))

        evidence = ask()
        if not evidence:
            return evidence
        logs: Sequence[Log] = self._kafka.logs([DEAD_LETTERS])
        dead = dead_positions(self._kafka, logs, self._schemas, self._currency)
        self._figures.count_dead(sorted(dead))
        return ask()

    def _enter_batch(
        self, look: Look, found: Coverage, unarchived: Mapping[Range, int]
    ) -> Cause | None:
        """Enter what the batch lacks; why its figures may be too small."""
        for description in self._raw_differs:
            look.counter.add(Cause.RAW_MISSING, description)
            look.uncorrectable += 1
        holes = False
        for each, events in unarchived.items():
            if not events:
                continue
            is_hole = each.from_offset < found.ends.get((each.topic, each.partition), 0)
            holes |= is_hole
            cause = Cause.ARCHIVE_MISSING if is_hole else Cause.LATE
            look.counter.add(
                cause,
                {
                    "cause": cause,
                    "place": _named(each),
                    "says": "Kafka, archive",
                    "expected": events,
                    "got": 0,
                },
            )
            look.uncorrectable += is_hole
        if self._raw_differs:
            return Cause.RAW_MISSING
        return Cause.ARCHIVE_MISSING if holes or found.lost else None

    def _enter(
        self,
        look: Look,
        evidence: Evidence,
        lacks: Cause | None,
        placed: list[tuple[Cell, dict[str, object]]],
    ) -> None:
        for finding in explain(evidence, lacks):
            cell = evidence.cell
            description: dict[str, object] = {
                "cause": finding.cause,
                "place": f"{cell.size} {iso(cell.window_start)} {cell.dimension}={cell.value}",
                "says": finding.says,
                "expected": finding.expected._asdict(),
                "got": finding.got._asdict(),
            }
            look.counter.add(finding.cause, description)
            if finding.correction is not None:
                look.corrections.append(correction_of(self._day, evidence, finding))
            elif finding.cause not in NO_ERRORS:
                look.uncorrectable += 1
            if finding.cause not in NO_ERRORS and len(placed) < _PLACED:
                placed.append((cell, description))

    def _note(self, look: Look) -> None:
        for size, retained in self.deltas.retained.items():
            if not retained:
                look.notes.append(
                    f"ad-metrics-{size}: deltas of the day are gone (retention), so the realtime "
                    "table is compared with the batch only"
                )
        if look.open_events:
            look.notes.append(
                f"{look.open_events:,} events lie in windows that are not closed yet: late, not "
                "compared"
            )


def _behind(passed: Mapping[Position, int], ends: Mapping[Position, int]) -> dict[Position, int]:
    """Where the stream has not passed all that is archived. Unknown positions are not behind."""
    return {at: offset for at, offset in passed.items() if offset < ends.get(at, 0)}


def _named(each: Range) -> str:
    return f"{each.topic}/{each.partition}@{each.from_offset}-{each.to_offset - 1}"


def iso(milliseconds: int) -> str:
    """A time, ISO 8601."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")
