"""From a source of rows to chunks of records: everything between input and Kafka, wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from roas_contracts.codec import Codec
from roas_contracts.dead_letters import DeadLetterBuilder, FileRow
from roas_contracts.errors import PoisonError
from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    DEAD_LETTERS,
    ProducerProgress,
)
from roas_producer.economics import Economics
from roas_producer.encoding import EventEncoder, WrittenSchemas
from roas_producer.feed import Chunk, Record, Resume, chunks
from roas_producer.progress import NOTHING_EMITTED, first_hour_needed
from roas_producer.rows import BadRow, HourBlock
from roas_producer.sequence import Kind, Occurrence, Selection, max_delay_ms, sequence
from roas_producer.sources import RowSource, refuse_future
from roas_producer.timeline import Timeline
from roas_producer.version import SERVICE, VERSION

TOPIC_OF = {
    Kind.IMPRESSION: AD_IMPRESSIONS,
    Kind.CLICK: AD_CLICKS,
    Kind.CONVERSION: AD_CONVERSIONS,
}
"""Where the events of each kind go."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be emitted from which rows. Two equal plans emit the same events."""

    source: RowSource
    economics: Economics
    selection: Selection
    currency: str
    rebase_speed: Fraction | None
    """Compression of time with ``--rebase now``; None keeps event times."""


class Pipeline:
    """One pass over a plan's rows.

    Args:
        plan: what is to be emitted.
        now_ms: the wall clock.
    """

    def __init__(self, plan: Plan, now_ms: Callable[[], int]) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self.timeline = Timeline.unchanged()
        """How times are sent; with a rebase, known when the first chunk is."""

    def blocks(
        self, progress: ProducerProgress | None = None, whole: bool = True
    ) -> Iterator[HourBlock]:
        """The hours that are needed, with the timeline set.

        Args:
            progress: of a run that goes on; None for one that begins.
            whole: read from the first hour even where nothing of it is left to send.
        """
        plan, speed = self._plan, self._plan.rebase_speed
        if speed is None:
            blocks = plan.source.blocks(self._first_hour(progress, whole))
            yield from refuse_future(blocks, plan.source.name, self._now_ms)
            return
        if progress is not None and progress.emitted_through != NOTHING_EMITTED:
            self.timeline = Timeline(speed, progress.rebase_ms)
            yield from plan.source.blocks(self._first_hour(progress, whole))
            return
        blocks = plan.source.blocks()
        first = next(blocks, None)
        if first is not None:
            self.timeline = Timeline.starting_at(first.start_ms, self._now_ms(), speed)
            yield from chain([first], blocks)

    def chunks(
        self,
        progress: ProducerProgress,
        encode: Callable[[Occurrence], Record],
        whole: bool,
        left_out: Callable[[BadRow], None],
    ) -> Iterator[Chunk]:
        """The records that are still to be sent.

        Args:
            progress: where the run stands.
            encode: makes the record of a step.
            whole: read from the first hour, and check that what is left out is what was sent.
            left_out: is told of each bad row that was sent before.
        """
        whole = whole or not self.may_skip_hours
        steps = sequence(self.blocks(progress, whole), self._plan.economics, self._plan.selection)
        resume = Resume(progress.emitted_through, progress.events_emitted if whole else None)
        return chunks(steps, self.sent_time, encode, resume, left_out)

    @property
    def may_skip_hours(self) -> bool:
        """Whether a restart may leave out whole hours unread.

        Not from a stream, whose content has to be checked, and not under a limit, which counts
        rows from the first.
        """
        return self._plan.source.repeatable and self._plan.selection.limit is None

    def sent_time(self, own_ms: int) -> int:
        """The event time that is sent for a time of the input."""
        return self.timeline.sent(own_ms)

    def _first_hour(self, progress: ProducerProgress | None, whole: bool) -> int | None:
        if progress is None or whole or progress.emitted_through == NOTHING_EMITTED:
            return None
        delay = max_delay_ms(self._plan.economics)
        return first_hour_needed(progress.emitted_through, self.timeline, delay)


class StepEncoder:
    """Makes the Kafka record of a step of the sequence.

    Args:
        plan: what is emitted.
        sent_time: from the input's time to the event time that is sent.
        schemas: the event schemas that are written.
        dead_letters: encodes dead letters.
        now_ms: the wall clock.
    """

    def __init__(
        self,
        plan: Plan,
        sent_time: Callable[[int], int],
        schemas: WrittenSchemas,
        dead_letters: Codec,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = plan.source
        conversion_type = plan.economics.conversion_type
        self._events = EventEncoder(
            plan.source.source, plan.currency, conversion_type, sent_time, schemas
        )
        self._dead_letters = dead_letters
        # A file row was read by no consumer group: the service's name takes its place.
        self._dead_letter = DeadLetterBuilder(SERVICE, VERSION, consumer_group=SERVICE)
        self._now_ms = now_ms

    def __call__(self, step: Occurrence) -> Record:
        """The record of one step."""
        row = step.row
        if isinstance(row, BadRow):
            return self._bad(row)
        return Record(TOPIC_OF[step.kind], self._events.encode(step, row), row.id.encode())

    def _bad(self, row: BadRow) -> Record:
        letter = self._dead_letter.from_file_row(
            FileRow(self._source.name, self._source.sha256, row.line, row.raw),
            PoisonError(row.reason, row.detail),
            stage="parse",
            now_ms=self._now_ms(),
        )
        return Record(
            DEAD_LETTERS, self._dead_letters.encode(letter), letter.dead_letter_id.encode()
        )
