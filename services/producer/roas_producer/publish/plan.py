"""What ``publish`` emits: one event or one dead letter for each row, in the order of time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

import structlog

from roas_contracts.codec import Codec
from roas_contracts.errors import InputError
from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    DeadLetterReason,
    ProducerProgress,
)
from roas_producer.dead_letters import DeadLetterEncoder
from roas_producer.errata_layouts import CsvErrata, ErrataLayout, JsonErrata
from roas_producer.feed import CHUNK_RECORDS, Chunk
from roas_producer.lines import Input
from roas_producer.plans import Registered
from roas_producer.publish.arrivals import Arrival, Step, arrivals, packed, unpacked
from roas_producer.publish.formats import Format, reader_of
from roas_producer.publish.limit import BadRowLimit
from roas_producer.publish.making import EventMaker
from roas_producer.publish.mapping import ColumnMapping
from roas_producer.publish.reordering import Reordering
from roas_producer.publish.rows import RowReader
from roas_producer.publish.sorting import SortedOnDisk
from roas_producer.rows import BadRow
from roas_producer.sequence import Kind

SEQUENCE_VERSION: Final = 1
"""Raised when the same rows would give another sequence: older progress does not fit it then."""

_KINDS: Final = {
    AD_IMPRESSIONS: Kind.IMPRESSION,
    AD_CLICKS: Kind.CLICK,
    AD_CONVERSIONS: Kind.CONVERSION,
}
_END: Final = (0, BadRow(0, DeadLetterReason.UNKNOWN, "", b""))
"""In place of a step behind the last one."""

log = structlog.get_logger("roas_producer.publish")


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """The options that change what is emitted."""

    event: str
    form: str
    delimiter: str | None
    mapping: str
    """Fingerprint."""
    out_of_order_ms: int | None
    currency: str
    again: str | None
    first_start_ms: int
    """The moment of the first start: not part of the key. Events that lay in the future then are
    bad rows, also for a restart."""

    def canonical(self) -> str:
        """JSON that is the same for the same options."""
        fields = asdict(self) | {"publish": SEQUENCE_VERSION}
        del fields["first_start_ms"]
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))

    def recorded(self) -> str:
        """With the first start."""
        fields = json.loads(self.canonical()) | {"first_start_ms": self.first_start_ms}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """A file, and how its rows become events."""

    source: Input
    form: Format
    delimiter: str | None
    reader: RowReader
    """The first one; a file that is read again gets a new one."""
    mapping: ColumnMapping
    out_of_order_ms: int | None
    """How far rows may be out of order; None sorts the whole file first."""
    currency: str
    max_bad_row_share: float
    rebased: bool = False
    total_rows: int | None = None

    @property
    def name(self) -> str:
        """The file's."""
        return self.source.name

    @property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return self.source.sha256

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again."""
        return self.source.path is not None

    @property
    def row_kinds(self) -> frozenset[Kind]:
        """Every step is a row."""
        return frozenset(Kind)

    @property
    def errata_layout(self) -> ErrataLayout:
        """The file's own format; JSON lines for Parquet."""
        if self.form is not Format.CSV:
            return JsonErrata()
        columns = self.reader.columns or []
        return CsvErrata(lambda: columns, getattr(self.reader, "delimiter", ","))

    def fresh_reader(self) -> RowReader:
        """A reader at the first row."""
        if not self.repeatable:
            return self.reader
        return reader_of(self.source, self.form, self.delimiter)

    def maker(self, now_ms: int) -> EventMaker:
        """What makes the events; ``now_ms`` is the moment of the first start."""
        return EventMaker(self.mapping, self.sha256, self.currency, now_ms)

    def passage(self, registered: Registered, now_ms: Callable[[], int]) -> PublishPassage:
        """Begin a pass over the file."""
        written = registered.events
        topic = self.mapping.event.topic
        of_topic = {
            AD_IMPRESSIONS: written.impressions,
            AD_CLICKS: written.clicks,
            AD_CONVERSIONS: written.conversions,
        }
        codec = Codec.for_topic(topic, of_topic[topic].schema_id)
        dead_letters = DeadLetterEncoder(self.name, self.sha256, registered.dead_letters, now_ms)
        return PublishPassage(self, codec, dead_letters)


class PublishPassage:
    """One pass over a file.

    Args:
        plan: what is emitted.
        codec: of the topic.
        dead_letters: encodes bad rows.
    """

    shift_ms = 0

    def __init__(self, plan: PublishPlan, codec: Codec, dead_letters: DeadLetterEncoder) -> None:
        self._plan = plan
        self._codec = codec
        self._dead_letters = dead_letters

    def chunks(
        self, progress: ProducerProgress, whole: bool, left_out: Callable[[BadRow], None]
    ) -> Iterator[Chunk]:
        """The records that are still to be sent: behind the first ``events_emitted`` ones.

        Raises:
            InputError: the input is damaged, not the one that was sent before, or mostly bad.
        """
        now_ms = int(json.loads(progress.options)["first_start_ms"])
        steps = self._in_order(now_ms)
        self._leave_out(steps, progress, left_out)
        yield from self._cut(steps)

    def _in_order(self, now_ms: int) -> Iterator[Step]:
        plan, topic = self._plan, self._plan.mapping.event.topic
        limit = BadRowLimit(plan.name, plan.max_bad_row_share)
        reader = plan.fresh_reader()
        arriving = arrivals(reader, plan.maker(now_ms), topic, self._codec.encode, limit)
        if plan.out_of_order_ms is None:
            return _sorted(arriving, limit)
        return _reordered(arriving, plan.out_of_order_ms, limit)

    def _leave_out(
        self,
        steps: Iterator[Step],
        progress: ProducerProgress,
        left_out: Callable[[BadRow], None],
    ) -> None:
        """Pass over what was sent before."""
        left = progress.events_emitted
        while left:
            step = next(steps, _END)
            if step is None:
                continue
            left -= 1
            if step is _END or (not left and step[0] != progress.emitted_through):
                raise InputError(
                    f"this input is not the one that was sent before under its name: its first "
                    f"{progress.events_emitted} rows do not end where those did; "
                    "give it another --input-name"
                )
            if isinstance(step[1], BadRow):
                left_out(step[1])

    def _cut(self, steps: Iterator[Step]) -> Iterator[Chunk]:
        chunk, kind = Chunk(), _KINDS[self._plan.mapping.event.topic]
        for step in steps:
            if step is not None:
                time_ms, arrival = step
                chunk.times.append(time_ms)
                if isinstance(arrival, BadRow):
                    chunk.bad_rows.append((len(chunk.kinds), arrival))
                    chunk.kinds.append(Kind.BAD_ROW)
                    chunk.records.append(self._dead_letters.record(arrival))
                else:
                    chunk.kinds.append(kind)
                    chunk.records.append(arrival)
            if chunk.times and (step is None or len(chunk.times) >= CHUNK_RECORDS):
                chunk.clock_ms = chunk.times[-1]
                yield chunk
                chunk = Chunk()
        yield chunk


def _sorted(arriving: Iterator[Step], limit: BadRowLimit) -> Iterator[Step]:
    """All of it read before the first goes on, so a file that is mostly bad sends nothing."""
    rows = SortedOnDisk()
    try:
        for step in arriving:
            if step is not None:
                rows.add(step[0], packed(step[1]))
        limit.check()
        yield from ((time_ms, unpacked(data)) for time_ms, data in rows)
    finally:
        rows.close()


def _reordered(arriving: Iterator[Step], bound_ms: int, limit: BadRowLimit) -> Iterator[Step]:
    rows: Reordering[Arrival] = Reordering(bound_ms)
    for step in arriving:
        if step is None:
            yield None
            continue
        if isinstance(step[1], BadRow):
            limit.check()
        yield from rows.add(*step)
    yield from rows.rest()
    if rows.too_late:
        log.warning(
            "rows came later than --out-of-order allows: they were sent, and count as late",
            rows=rows.too_late,
        )
