"""The live numbers of a running stack: from Redis, the producer and the cache writer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import httpx
from prometheus_client.parser import text_string_to_metric_families

from roas_contracts.errors import TransientError
from roas_contracts.metric_key import ALL, CAMPAIGN, TOTAL
from roas_contracts.redis_layout import (
    RedisMetricsReader,
    TopEntry,
    WindowSize,
    WindowTotals,
)

SHOWN_WINDOWS = {WindowSize.ONE_MINUTE: 60, WindowSize.FIVE_MINUTES: 24}
"""How many windows of each size are shown at most."""

_TOP = 5
_TOP_WINDOWS = 5
_TIMEOUT_SECONDS = 2.0
_RATE_OVER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is to see at one moment. Clocks: event time, epoch milliseconds.

    `events` are those that the producer has committed, `behind` the records of the metrics
    topics that are not in PostgreSQL and Redis yet.
    """

    events: dict[str, int] = field(default_factory=dict)
    event_clock: int | None = None
    events_per_second: float = 0.0
    windows: dict[WindowSize, list[WindowTotals]] = field(default_factory=dict)
    top_campaigns: list[TopEntry] = field(default_factory=list)
    complete_until: dict[WindowSize, int] = field(default_factory=dict)
    written_at: int | None = None
    behind: int = 0

    @property
    def total_events(self) -> int:
        """All events of the producer."""
        return sum(self.events.values())


class LiveFeed:
    """Reads snapshots. What does not answer at the moment keeps its last value.

    Args:
        redis_url: the Redis of the stack.
        producer_metrics: URL of the producer's counters; it may come up later, and end earlier.
        writer_metrics: URL of the cache writer's counters.
    """

    def __init__(self, redis_url: str, producer_metrics: str, writer_metrics: str) -> None:
        self._reader = RedisMetricsReader.connect(redis_url, timeout_seconds=_TIMEOUT_SECONDS)
        self._http = httpx.Client(timeout=_TIMEOUT_SECONDS)
        self._producer_metrics = producer_metrics
        self._writer_metrics = writer_metrics
        self._last = Snapshot()
        self._counts: list[tuple[float, int]] = []

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._http.close()

    def read(self) -> Snapshot:
        """The present numbers."""
        snapshot = self._with_windows(self._with_lag(self._with_events(self._last)))
        self._last = snapshot
        return snapshot

    def _with_events(self, last: Snapshot) -> Snapshot:
        samples = self._samples(self._producer_metrics)
        events = {
            labels["topic"]: int(value)
            for name, labels, value in samples
            if name == "roas_producer_events_total"
        }
        clock = next(
            (v for name, _, v in samples if name == "roas_producer_event_clock_seconds"), 0.0
        )
        if not events:
            return replace(last, events_per_second=0.0)
        return replace(
            last,
            events=events,
            event_clock=round(clock * 1000) or last.event_clock,
            events_per_second=self._rate(sum(events.values())),
        )

    def _with_lag(self, last: Snapshot) -> Snapshot:
        lags = [
            value
            for name, _, value in self._samples(self._writer_metrics)
            if name == "roas_cache_writer_lag_records" and value == value
        ]
        return replace(last, behind=int(sum(lags))) if lags else last

    def _with_windows(self, last: Snapshot) -> Snapshot:
        try:
            fresh = self._reader.freshness()
            windows = {
                size: self._reader.last_windows(size, TOTAL, ALL, count)
                for size, count in SHOWN_WINDOWS.items()
            }
            top = self._reader.top(WindowSize.ONE_MINUTE, CAMPAIGN, _TOP, windows=_TOP_WINDOWS)
        except TransientError:
            return last
        return replace(
            last,
            windows=windows,
            top_campaigns=top,
            complete_until={
                size: line.newest_window_end
                for size, line in fresh.sizes.items()
                if line.newest_window_end is not None
            },
            written_at=fresh.written_at,
        )

    def _rate(self, events: int) -> float:
        now = time.monotonic()
        self._counts.append((now, events))
        while now - self._counts[0][0] > _RATE_OVER_SECONDS and len(self._counts) > 2:
            del self._counts[0]
        (began, before), (ended, after) = self._counts[0], self._counts[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    def _samples(self, url: str) -> list[tuple[str, dict[str, str], float]]:
        try:
            text = self._http.get(url).raise_for_status().text
        except httpx.HTTPError:
            return []
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
