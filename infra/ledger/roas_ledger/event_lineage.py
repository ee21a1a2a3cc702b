"""Lineage one: the events in Kafka, decoded and counted again, independently of the stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from roas_contracts.decoder import Decoder
from roas_contracts.events import AdClick, AdConversion, AdImpression, Event, Source
from roas_contracts.headers import REPLAY_OF, last
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.metric_key import (
    BANNER_POS,
    CAMPAIGN,
    DEVICE_TYPE,
    PLACEMENT,
    placement_value,
)
from roas_ledger.horizon import PartitionClock
from roas_ledger.record import Partition, Record
from roas_ledger.record_book import RecordBook
from roas_ledger.totals import (
    CLICKS,
    CONVERSIONS,
    COST,
    IMPRESSIONS,
    REVENUE,
    TOTAL,
    WindowTotals,
)
from roas_ledger.windows import ONE_MINUTE

IMPRESSION_TOPIC = "ad-impressions"
CLICK_TOPIC = "ad-clicks"
CONVERSION_TOPIC = "ad-conversions"

EVENT_TOPICS = {
    IMPRESSION_TOPIC: IMPRESSIONS,
    CLICK_TOPIC: CLICKS,
    CONVERSION_TOPIC: CONVERSIONS,
}
"""Event topics and the measure that counts their records."""

AdEvent: TypeAlias = AdImpression | AdClick | AdConversion

_BEFORE_ALL = -(2**63)
_AD_EVENT = (AdImpression, AdClick, AdConversion)
_CARRIES_TIME = (*_AD_EVENT, Heartbeat)

_PRODUCERS_OWN = (Source.AVAZU, Source.GENERATED)


class EventLineage:
    """Everything that the event topics hold, as the stream should have counted it.

    First the records up to the cut are fed. `freeze` then fixes the horizon; from then on only
    events in windows before it are taken in, for the stream counts those as late.

    Args:
        decoders: one per event topic, with the stream's rules.
        partitions: all partitions of the event topics.
        out_of_orderness_ms: how far the stream's watermark stays behind its clocks.
        now_ms: the wall clock, epoch milliseconds.
        archived_ends: per partition the offset before which everything is archived: what lies
            before it is counted once more, for the batch.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        partitions: Iterable[Partition],
        out_of_orderness_ms: int,
        now_ms: Callable[[], int],
        archived_ends: Mapping[Partition, int] | None = None,
    ) -> None:
        self.totals = WindowTotals(ONE_MINUTE)
        self.archived = WindowTotals(ONE_MINUTE)
        self.archived_records: Counter[Partition] = Counter()
        self._archived_ends = archived_ends or {}
        self._closed_end: int | None = None
        self.books: dict[Partition, RecordBook] = {}
        self.since: dict[Partition, RecordBook] = {}
        self.clocks: dict[Partition, PartitionClock] = {}
        self.first_times: dict[Partition, int] = {}
        for partition in partitions:
            self.books[partition] = RecordBook(decoders[partition[0]], now_ms)
            self.since[partition] = RecordBook(decoders[partition[0]], now_ms)
            self.clocks[partition] = PartitionClock(out_of_orderness_ms)
        self.from_producer = dict.fromkeys(EVENT_TOPICS, 0)
        self.external = dict.fromkeys(EVENT_TOPICS, 0)
        self.from_elsewhere = dict.fromkeys(EVENT_TOPICS, 0)
        self.arrived_since = dict.fromkeys(EVENT_TOPICS, 0)
        self.open = dict.fromkeys(EVENT_TOPICS, 0)
        self.sent_again: set[str] = set()
        """Ids of the dead letters that good events say they are replays of."""

    def feed(self, records: Iterable[Record]) -> None:
        """Take in records up to the cut."""
        for record in records:
            partition = record.partition
            event = self.books[partition].take(record)
            is_archived = record.offset < self._archived_ends.get(partition, 0)
            if is_archived:
                self.archived_records[partition] += 1
            if not isinstance(event, _CARRIES_TIME):
                continue
            clock = self.clocks[partition]
            if clock.newest is None:
                self.first_times[partition] = event.event_time
            clock.advance(event.event_time, record.timestamp)
            if not isinstance(event, Heartbeat):
                self._note_origin(partition[0], event, record)
                self._count(event)
                if is_archived:
                    self._count(event, self.archived)

    def freeze(self, closed_end: int | None) -> None:
        """Fix the end of what is compared: windows that start at `closed_end` or later are open.

        What they hold is remembered as a number per topic only.
        """
        self._closed_end = closed_end
        first_open = _BEFORE_ALL if closed_end is None else closed_end
        for topic, measure in EVENT_TOPICS.items():
            self.open[topic] = self.totals.total(measure, first=first_open)
        self.totals.drop_from(first_open)

    def feed_since(self, records: Iterable[Record]) -> None:
        """Take in records beyond the cut: those for windows that had already closed."""
        for record in records:
            topic = record.partition[0]
            event = self.since[record.partition].take(record)
            if not isinstance(event, _AD_EVENT):
                continue
            self._note_origin(topic, event, record)
            if self._closed_end is not None and event.event_time < self._closed_end:
                self.arrived_since[topic] += 1
                self._count(event)

    def settle(self, partition: Partition, record: Event | Heartbeat) -> None:
        """Take in an event that was undecided until the stream's own verdict on it was known."""
        if not isinstance(record, _AD_EVENT):
            return
        if self._closed_end is not None and record.event_time < self._closed_end:
            self._count(record)
        else:
            self.open[partition[0]] += 1

    def take_out(self, partition: Partition, offset: int, event: Event) -> bool:
        """Take back an event whose consumer refused it and counts it where it was sent again.

        Returns:
            False if the record has not been read yet, or is not counted here: nothing was done.
        """
        book = self.books[partition]
        is_since = book.last_offset is None or offset > book.last_offset
        if is_since:
            book = self.since[partition]
            if book.last_offset is None or offset > book.last_offset:
                return False
        if offset in book.poison or offset in book.undecided or not isinstance(event, _AD_EVENT):
            return False
        is_closed = self._closed_end is not None and event.event_time < self._closed_end
        if is_closed:
            self._count(event, sign=-1)
            self.arrived_since[partition[0]] -= is_since
        elif not is_since:
            self.open[partition[0]] -= 1
        return True

    def _note_origin(self, topic: str, event: AdEvent, record: Record) -> None:
        origin = last(record.headers or (), REPLAY_OF)
        replayed = origin is not None
        if origin is not None:
            self.sent_again.add(origin.decode(errors="replace"))
        if event.source in _PRODUCERS_OWN and not replayed:
            self.from_producer[topic] += 1
            return
        self.from_elsewhere[topic] += 1
        if event.source is Source.EXTERNAL and not replayed:
            self.external[topic] += 1

    def _count(self, event: AdEvent, totals: WindowTotals | None = None, sign: int = 1) -> None:
        cell = (totals or self.totals).cell
        time = event.event_time
        start = time - time % 60_000
        measure: int
        money: int
        amount: int
        if type(event) is AdImpression:
            measure, money, amount = IMPRESSIONS, COST, event.cost_micros
        elif type(event) is AdClick:
            measure, money, amount = CLICKS, COST, event.cost_micros
        else:
            assert isinstance(event, AdConversion)
            measure, money, amount = CONVERSIONS, REVENUE, event.revenue_micros
        for series in (
            TOTAL,
            (CAMPAIGN, event.campaign_id),
            (PLACEMENT, placement_value(event.placement_type, event.placement_id)),
            (BANNER_POS, str(event.banner_pos)),
            (DEVICE_TYPE, str(event.device_type)),
        ):
            sums = cell(start, series)
            sums[measure] += sign
            sums[money] += sign * amount
