"""Lineage three: the deltas in the metrics topics, summed by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from roas_contracts.decoder import Decoder
from roas_contracts.events import AdMetric, DeltaKind, Event
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.redis_layout import WindowSize
from roas_ledger.record import Partition, Record
from roas_ledger.record_book import RecordBook
from roas_ledger.totals import Series, WindowTotals, summed
from roas_ledger.windows import floor, metrics_topic

KINDS = (DeltaKind.ON_TIME, DeltaKind.LATE, DeltaKind.CORRECTION)
"""The kinds of delta that readers add up."""


class MetricLineage:
    """What the deltas of one window size say.

    Args:
        decoder: the cache writer's rules for this size's topic.
        partitions: the topic's partitions.
        now_ms: the wall clock, epoch milliseconds.
    """

    def __init__(
        self,
        size: WindowSize,
        decoder: Decoder,
        partitions: Iterable[Partition],
        now_ms: Callable[[], int],
    ) -> None:
        self.size = size
        self.topic = metrics_topic(size)
        self.by_kind = {kind: WindowTotals(size) for kind in KINDS}
        self.books = {at: RecordBook(decoder, now_ms) for at in partitions}
        self.repeated_on_time: dict[tuple[int, Series], int] = {}
        self.misplaced: list[tuple[str, AdMetric]] = []
        self.last_emitted: dict[int, int] = {}
        self.first_times: dict[Partition, int] = {}

    def feed(self, records: Iterable[Record]) -> None:
        """Add the deltas of some records."""
        for record in records:
            delta = self.books[record.partition].take(record)
            if not isinstance(delta, AdMetric):
                continue
            self.first_times.setdefault(record.partition, delta.window_start)
            totals = self.by_kind.get(delta.kind)
            if totals is None or not self._in_its_window(delta):
                self.misplaced.append((record.place, delta))
                continue
            self._add(totals, delta)

    def settle(self, delta: Event | Heartbeat) -> None:
        """Add a delta that was undecided until the cache writer's own verdict was known."""
        if isinstance(delta, AdMetric) and delta.kind in self.by_kind:
            self._add(self.by_kind[delta.kind], delta)

    def all_kinds(self) -> WindowTotals:
        """On time, late and corrections together: what a reader is shown."""
        spoken = [totals for totals in self.by_kind.values() if totals.windows]
        return spoken[0] if len(spoken) == 1 else summed(list(self.by_kind.values()))

    def _in_its_window(self, delta: AdMetric) -> bool:
        start = delta.window_start
        return start == floor(self.size, start) and delta.window_end == start + self.size.millis

    def _add(self, totals: WindowTotals, delta: AdMetric) -> None:
        start, series = delta.window_start, (delta.dimension, delta.value)
        if delta.kind is DeltaKind.ON_TIME and series in totals.windows.get(start, {}):
            key = (start, series)
            self.repeated_on_time[key] = self.repeated_on_time.get(key, 1) + 1
        totals.add(
            start,
            series,
            [
                delta.impressions,
                delta.clicks,
                delta.conversions,
                delta.cost_micros,
                delta.revenue_micros,
            ],
        )
        if delta.emitted_at > self.last_emitted.get(start, 0):
            self.last_emitted[start] = delta.emitted_at
