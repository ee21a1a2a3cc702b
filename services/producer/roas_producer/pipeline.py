"""From a source of rows to chunks of records: everything between input and Kafka, wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    ProducerProgress,
)
from roas_producer.dead_letters import DeadLetterEncoder
from roas_producer.economics import Economics
from roas_producer.encoding import EventEncoder, WrittenSchemas
from roas_producer.errata_layouts import CsvErrata, ErrataLayout
from roas_producer.feed import Chunk, Record, Resume, chunks
from roas_producer.plans import Registered
from roas_producer.progress import NOTHING_EMITTED, first_hour_needed
from roas_producer.rows import BadRow, HourBlock
from roas_producer.sequence import Kind, Occurrence, Selection, max_delay_ms, sequence
from roas_producer.sources import RowSource, refuse_future
from roas_producer.timeline import UNCHANGED, Timeline

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

    @property
    def name(self) -> str:
        """The input's."""
        return self.source.name

    @property
    def sha256(self) -> str:
        """Of the input's content."""
        return self.source.sha256

    @property
    def repeatable(self) -> bool:
        """Whether the input can be read again."""
        return self.source.repeatable

    @property
    def total_rows(self) -> int | None:
        """How many rows there are, where that is known."""
        return self.source.total_rows

    @property
    def rebased(self) -> bool:
        """Whether event times are the wall clock's."""
        return self.rebase_speed is not None

    @property
    def row_kinds(self) -> frozenset[Kind]:
        """Each row is an impression or bad; clicks and conversions follow from them."""
        return frozenset((Kind.IMPRESSION, Kind.BAD_ROW))

    @property
    def errata_layout(self) -> ErrataLayout:
        """Kaggle's CSV."""
        return CsvErrata(lambda: self.source.columns, timed=True)

    def passage(self, registered: Registered, now_ms: Callable[[], int]) -> ReplayPassage:
        """Begin a pass over the rows."""
        pipeline = Pipeline(self, now_ms)
        dead_letters = DeadLetterEncoder(self.name, self.sha256, registered.dead_letters, now_ms)
        encode = StepEncoder(self, pipeline.sent_time, registered.events, dead_letters)
        return ReplayPassage(pipeline, encode)


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
        timeline = self.timeline
        return own_ms if timeline is UNCHANGED else timeline.sent(own_ms)

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
        dead_letters: encodes bad rows.
    """

    def __init__(
        self,
        plan: Plan,
        sent_time: Callable[[int], int],
        schemas: WrittenSchemas,
        dead_letters: DeadLetterEncoder,
    ) -> None:
        conversion_type = plan.economics.conversion_type
        events = EventEncoder(
            plan.source.source, plan.currency, conversion_type, sent_time, schemas
        )
        self._events = {kind: (topic, events.of(kind)) for kind, topic in TOPIC_OF.items()}
        self._dead_letters = dead_letters

    def __call__(self, step: Occurrence) -> Record:
        """The record of one step."""
        row = step.row
        if isinstance(row, BadRow):
            return self._dead_letters.record(row)
        topic, encode = self._events[step.kind]
        return Record(topic, encode(step, row), row.id.encode())


@dataclass(frozen=True, slots=True)
class ReplayPassage:
    """A pipeline and the encoder of its steps."""

    pipeline: Pipeline
    encode: StepEncoder

    @property
    def shift_ms(self) -> int:
        """How far event times are moved."""
        return self.pipeline.timeline.shift_ms

    def chunks(
        self, progress: ProducerProgress, whole: bool, left_out: Callable[[BadRow], None]
    ) -> Iterator[Chunk]:
        """The records that are still to be sent; as :meth:`Pipeline.chunks`."""
        return self.pipeline.chunks(progress, self.encode, whole, left_out)
