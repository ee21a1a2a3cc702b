"""An offset range to files of the archive: each is whole, safe and in the catalog, or not there.

A file gets its name while the partition is locked in PostgreSQL, after a look whether its range is
archived already and just before the row that says so. A kill in between leaves a file that the
catalog does not know: the next run writes it again, under the same name. Two runs over one range do
the same work, and the second finds it done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from roas_batch.catalog import ArchivedRange, Catalog
from roas_batch.judging import Judge
from roas_batch.kafka import Kafka
from roas_batch.planning import Log, Span, gaps
from roas_batch.postgres import Connection, translated
from roas_contracts.archive.format import SCHEMA, Description, Kind, records_sha256
from roas_contracts.archive.writing import Packed, pack, publish, remove_abandoned, staged
from roas_contracts.errors import FencedError, MisconfigurationError

_ROWS_OF_A_CHUNK: Final = 10_000
_BYTES_OF_A_CHUNK: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Where one file ends and the next begins: bounds the memory."""

    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Done:
    """What an archiving run did: `files` are new ones."""

    files: list[ArchivedRange]
    records: int
    days: list[date]


class Archiver:
    """Archives ranges of one topic's partition.

    Args:
        archive: the archive's folder.
        kafka: where records come from.
        judge: says what they are.
        connection: to PostgreSQL.
        limits: of one file.
        progress: told how many records were read since the last call.
    """

    def __init__(
        self,
        archive: Path,
        kafka: Kafka,
        judge: Judge,
        connection: Connection,
        limits: Limits,
        progress: Callable[[int], None],
    ) -> None:
        self._archive = archive
        self._kafka = kafka
        self._judge = judge
        self._connection = connection
        self._limits = limits
        self._progress = progress

    def archive(self, log: Log, wanted: Span) -> Done:
        """Archive what is not archived of a span.

        Raises:
            MisconfigurationError: the span is not inside what can be read.
            LostError: its beginning was deleted.
            TransientError: Kafka, the registry or PostgreSQL does not answer, or the disk is full.
        """
        if not 0 <= wanted.from_offset < wanted.to_offset <= log.end:
            raise MisconfigurationError(
                f"--from {wanted.from_offset} --to {wanted.to_offset} is no part of the offsets "
                f"0 to {log.end} that can be read of {log.topic}[{log.partition}]"
            )
        known = Catalog(self._connection).known([log.topic])
        covered = [
            each.span
            for each in known
            if each.partition == log.partition and each.topic_id == log.topic_id
        ]
        files = [file for gap in gaps(wanted, covered) for file in self._archive_gap(log, gap)]
        days = sorted({day for file in files for day in file.event_days})
        records = sum(f.events + f.heartbeats + f.poison + f.skipped for f in files)
        return Done(files, records, days)

    def _archive_gap(self, log: Log, gap: Span) -> Iterator[ArchivedRange]:
        cleaned = False
        for span, frame in self._frames(log, gap):
            packed, row = self._packed(log, span, frame)
            if not cleaned:
                remove_abandoned(self._archive, packed.place)
                cleaned = True
            if self._keep(packed, row):
                yield row

    def _frames(self, log: Log, gap: Span) -> Iterator[tuple[Span, pl.DataFrame]]:
        """The gap's records, cut where a file ends. The last span reaches to the gap's end."""
        chunks: list[pl.DataFrame] = []
        chunk = _Chunk(self._judge)
        rows = size = 0
        first = gap.from_offset
        for messages in self._kafka.read(log.topic, log.partition, gap):
            chunk.add(messages)
            if chunk.rows < min(_ROWS_OF_A_CHUNK, self._limits.records) and chunk.bytes < min(
                _BYTES_OF_A_CHUNK, self._limits.bytes
            ):
                continue
            rows, size = rows + chunk.rows, size + chunk.bytes
            chunks.append(self._taken(chunk))
            chunk = _Chunk(self._judge)
            if rows >= self._limits.records or size >= self._limits.bytes:
                end = int(chunks[-1]["offset"][-1]) + 1
                yield Span(first, end), pl.concat(chunks)
                chunks, rows, size, first = [], 0, 0, end
        if chunk.rows or chunks or first < gap.to_offset:
            chunks.append(self._taken(chunk))
            yield Span(first, gap.to_offset), pl.concat(chunks)

    def _taken(self, chunk: _Chunk) -> pl.DataFrame:
        self._progress(chunk.rows)
        return chunk.frame()

    def _packed(self, log: Log, span: Span, frame: pl.DataFrame) -> tuple[Packed, ArchivedRange]:
        description = Description(
            topic=log.topic,
            topic_id=log.topic_id,
            cluster_id=log.cluster_id,
            partition=log.partition,
            from_offset=span.from_offset,
            to_offset=span.to_offset,
            records_sha256=records_sha256(frame),
            schemas=dict(self._judge.schemas),
        )
        packed = pack(frame, description)
        counts = dict(frame.group_by("kind").len().iter_rows())
        days = frame["event_day"].drop_nulls().unique().sort().to_list()
        return packed, ArchivedRange(
            topic=log.topic,
            topic_id=log.topic_id,
            cluster_id=log.cluster_id,
            partition=log.partition,
            span=span,
            file=str(packed.place.path),
            file_bytes=len(packed.content),
            file_sha256=packed.sha256,
            records_sha256=description.records_sha256,
            events=counts.get(Kind.EVENT, 0),
            heartbeats=counts.get(Kind.HEARTBEAT, 0),
            poison=counts.get(Kind.POISON, 0),
            skipped=counts.get(Kind.SKIPPED, 0),
            event_days=days,
        )

    def _keep(self, packed: Packed, row: ArchivedRange) -> bool:
        """Put the file there and into the catalog; False where that was done already."""
        with (
            staged(self._archive, packed) as unfinished,
            translated(),
            self._connection.transaction(),
        ):
            self._connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                (f"roas archive {row.topic} {row.topic_id} {row.partition}",),
            )
            found = self._connection.execute(
                "SELECT from_offset, to_offset FROM batch.archived_ranges"
                " WHERE topic = %s AND topic_id = %s AND partition = %s"
                " AND from_offset < %s AND to_offset > %s",
                (
                    row.topic,
                    row.topic_id,
                    row.partition,
                    row.span.to_offset,
                    row.span.from_offset,
                ),
            ).fetchall()
            if found == [(row.span.from_offset, row.span.to_offset)]:
                return False
            if found:
                raise FencedError(
                    f"another run is archiving {row.topic}[{row.partition}] and has "
                    f"{found[0][0]} to {found[0][1]} already: the same command again does the rest"
                )
            publish(self._archive, packed, unfinished)
            self._connection.execute(_INSERT, _values(row))
        return True


_INSERT: Final = (
    "INSERT INTO batch.archived_ranges (topic, topic_id, cluster_id, partition, from_offset,"
    " to_offset, file, file_bytes, file_sha256, records_sha256, events, heartbeats, poison,"
    " skipped, event_days)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def _values(row: ArchivedRange) -> tuple[Any, ...]:
    return (
        row.topic,
        row.topic_id,
        row.cluster_id,
        row.partition,
        row.span.from_offset,
        row.span.to_offset,
        row.file,
        row.file_bytes,
        row.file_sha256,
        row.records_sha256,
        row.events,
        row.heartbeats,
        row.poison,
        row.skipped,
        list(row.event_days),
    )


class _Chunk:
    """Some records on their way into a frame."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge.judge
        self._rows: list[tuple[Any, ...]] = []
        self.bytes = 0

    @property
    def rows(self) -> int:
        return len(self._rows)

    def add(self, messages: Iterable[Any]) -> None:
        """Judge records and take them in."""
        judge, append = self._judge, self._rows.append
        for message in messages:
            key, value, headers = message.key(), message.value(), message.headers()
            timestamp_type, timestamp = message.timestamp()
            kind, day, schema_id, reason = judge(
                value, headers, timestamp if timestamp_type else None
            )
            self.bytes += len(key or b"") + len(value or b"")
            append(
                (
                    message.offset(),
                    timestamp,
                    timestamp_type,
                    key,
                    value,
                    headers and [{"name": name, "value": item} for name, item in headers],
                    schema_id,
                    kind,
                    reason,
                    day,
                )
            )

    def frame(self) -> pl.DataFrame:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(SCHEMA)
        return pl.DataFrame(
            [
                pl.Series(name, values, dtype=pl.Int32 if dtype == pl.Date else dtype).cast(dtype)
                for (name, dtype), values in zip(SCHEMA.items(), columns, strict=True)
            ]
        )
