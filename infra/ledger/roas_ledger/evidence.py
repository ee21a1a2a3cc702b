"""Collecting the evidence: which topic is read when, and up to where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from roas_contracts.decoder import Decoder, Schemas
from roas_contracts.redis_layout import WindowSize
from roas_contracts.rules import Rules
from roas_ledger.batch_lineage import Archived
from roas_ledger.dead_letter_book import DeadLetterBook
from roas_ledger.differences import Span
from roas_ledger.event_lineage import EVENT_TOPICS, EventLineage
from roas_ledger.horizon import Horizon, horizon
from roas_ledger.kafka_reader import Extent, KafkaReader
from roas_ledger.metric_lineage import MetricLineage
from roas_ledger.progress_lineage import PROGRESS_TOPIC, ProgressLineage
from roas_ledger.record import Partition, Record
from roas_ledger.record_book import RecordBook
from roas_ledger.retention import first_comparable
from roas_ledger.windows import ONE_MINUTE, metrics_topic

DEAD_LETTER_TOPIC = "dead-letters"


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a deployment has decided, as the ledger has to know it."""

    stream_group: str
    cache_group: str
    currency: str
    out_of_orderness_ms: int
    allow_retention: bool = False


class Evidence:
    """Everything in Kafka that the verdict rests on, read once and then kept up to date.

    `open` reads the event topics to their ends and thereby fixes the cut (which records are
    asked about) and the horizon (which windows are). `refresh` reads what came since: dead
    letters and deltas that were still under way, and late events for windows before the horizon.

    Args:
        kafka: the reader.
        schemas: where writer schemas come from.
        expectations: groups, currency, out-of-orderness.
        now_ms: the wall clock, epoch milliseconds.
        archived: what the batch had archived when the ledger began, by event partition.
    """

    def __init__(
        self,
        kafka: KafkaReader,
        schemas: Schemas,
        expectations: Expectations,
        now_ms: Callable[[], int],
        archived: Mapping[Partition, Archived] | None = None,
    ) -> None:
        self._kafka = kafka
        self.archived = archived or {}
        self.expectations = expectations
        stream = Rules(group=expectations.stream_group, currency=expectations.currency)
        cache = Rules(group=expectations.cache_group, currency=expectations.currency)
        ledger = Rules(group="ledger", currency=expectations.currency)
        decoders = {topic: Decoder(topic, schemas, stream) for topic in EVENT_TOPICS}
        self.event_partitions = kafka.partitions(list(EVENT_TOPICS))
        self.letter_partitions = kafka.partitions([DEAD_LETTER_TOPIC])
        self.progress_partitions = kafka.partitions([PROGRESS_TOPIC])
        self.events = EventLineage(
            decoders,
            self.event_partitions,
            expectations.out_of_orderness_ms,
            now_ms,
            {at: each.end for at, each in self.archived.items()},
        )
        self.metrics = {
            size: MetricLineage(
                size,
                Decoder(metrics_topic(size), schemas, cache),
                kafka.partitions([metrics_topic(size)]),
                now_ms,
            )
            for size in WindowSize
        }
        self.letters = DeadLetterBook(
            Decoder(DEAD_LETTER_TOPIC, schemas, ledger), decoders, expectations.stream_group
        )
        self.sent_again: dict[Partition, set[int]] = {at: set() for at in self.event_partitions}
        """Offsets of good records that the stream dead-lettered and that were sent again since."""
        self.progress = ProgressLineage(Decoder(PROGRESS_TOPIC, schemas, ledger))
        self.progress_before = self.progress
        self.cluster_id = kafka.cluster_id()
        self.extents: dict[Partition, Extent] = {}
        self.cut: dict[Partition, int] = {}
        self.horizon = Horizon(None, None, ())
        self._position: dict[Partition, int] = {}
        self._refreshed = False

    def pending(self) -> int:
        """Offsets still to read before `open` and the first `refresh` are done."""
        ends = self._kafka.extents(self._all_partitions())
        return sum(
            extent.committed_end - self._position.get(at, extent.start)
            for at, extent in ends.items()
        )

    def open(self) -> None:
        """Read the event topics to their present ends; fix the cut and the horizon."""
        # What the producer says before its topics are read is the least they have to hold.
        self._read(self.progress_partitions, self.progress.feed)
        self.progress_before = self.progress.snapshot()
        self._read(self.event_partitions, self.events.feed)
        self.cut = {at: self.extents[at].committed_end for at in self.event_partitions}
        clocks = {at: clock.newest for at, clock in self.events.clocks.items()}
        self.horizon = horizon(clocks, self.expectations.out_of_orderness_ms)
        self.events.freeze(self.horizon.end(ONE_MINUTE))

    def refresh(self) -> None:
        """Read on: events beyond the cut, dead letters, deltas, the producer's progress."""
        if self._refreshed:
            self.progress_before = self.progress.snapshot()
        self._refreshed = True
        self._read(self.event_partitions, self.events.feed_since)
        self._read(self.letter_partitions, self.letters.feed)
        for lineage in self.metrics.values():
            self._read(list(lineage.books), lineage.feed)
        self._read(self.progress_partitions, self.progress.feed)

    def span(self, size: WindowSize) -> Span:
        """The windows of a size that can be compared."""
        if not self.expectations.allow_retention:
            return Span(None, self.horizon.end(size))
        retained = [
            first_comparable(
                {at: self.extents[at] for at in self.event_partitions},
                self.events.first_times,
                self.expectations.out_of_orderness_ms,
            )
        ]
        for lineage in self.metrics.values():
            extents = {at: self.extents[at] for at in lineage.books}
            retained.append(first_comparable(extents, lineage.first_times, 0))
        return Span(
            max((first for first in retained if first is not None), default=None),
            self.horizon.end(size),
        )

    def stream_positions(self) -> dict[Partition, int]:
        """Offsets of the event topics that the stream has committed."""
        return self._kafka.group_positions(self.expectations.stream_group, self.event_partitions)

    def last_offsets(self) -> dict[Partition, int]:
        """Offset of the newest committed record of each event and metrics partition."""
        books: list[tuple[Partition, RecordBook]] = [*self.events.books.items()]
        books.extend(self.events.since.items())
        for lineage in self.metrics.values():
            books.extend(lineage.books.items())
        return {at: book.last_offset for at, book in books if book.last_offset is not None}

    def positions(self) -> dict[Partition, int]:
        """Up to where each partition has been read."""
        return dict(self._position)

    def settle_undecided(self, seen: Mapping[Partition, int]) -> None:
        """Let consumers' own verdicts decide about records that their wall clocks decided on.

        Args:
            seen: for each partition the first offset that its consumer has surely not judged
                yet. A record at or behind it stays undecided unless its dead letter is there.
        """
        groups = self.expectations
        for partition, book in self.events.books.items():
            dead = self.letters.of(groups.stream_group, partition)
            for record in book.decide(dead, seen.get(partition, 0)):
                self.events.settle(partition, record)
        for lineage in self.metrics.values():
            for partition, book in lineage.books.items():
                dead = self.letters.of(groups.cache_group, partition)
                for record in book.decide(dead, seen.get(partition, 0)):
                    lineage.settle(record)

    def settle_sent_again(self) -> None:
        """Count a good record that the stream has refused only where it was sent again.

        A wrong setting of a consumer makes dead letters of records that have no fault. Replayed,
        they are counted at their new position; the one they came from is a dead letter, as the
        formula says. One that was not sent again stays a difference, for it is counted nowhere.
        """
        for partition, done in self.sent_again.items():
            letters = self.letters.of(self.expectations.stream_group, partition)
            for offset, letter in letters.items():
                if (
                    letter.event is not None
                    and offset not in done
                    and offset >= self.extents[partition].start
                    and letter.dead_letter_id in self.events.sent_again
                    and self.events.take_out(partition, offset, letter.event)
                ):
                    done.add(offset)

    def _read(self, partitions: list[Partition], feed: Callable[[list[Record]], None]) -> None:
        extents = self._kafka.extents(partitions)
        self.extents.update(extents)
        spans = {
            at: (self._position.get(at, extent.start), extent.committed_end)
            for at, extent in extents.items()
        }
        for batch in self._kafka.read(spans):
            feed(batch)
        for at, (first, end) in spans.items():
            self._position[at] = max(first, end)

    def _all_partitions(self) -> list[Partition]:
        metrics = [at for lineage in self.metrics.values() for at in lineage.books]
        return [
            *self.event_partitions,
            *self.letter_partitions,
            *self.progress_partitions,
            *metrics,
        ]
