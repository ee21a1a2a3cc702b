"""What the metrics topics say of a day: the deltas that the cache writer has read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from roas_batch import SERVICE
from roas_batch.planning import Log, Span
from roas_batch.reconcile.causes import Scope
from roas_batch.reconcile.figures import TOPIC, FiguresTable
from roas_batch.reconcile.watching import Position, WatchedKafka
from roas_contracts import headers
from roas_contracts.decoder import Decoder, Schemas
from roas_contracts.errors import PoisonError
from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M, AdMetric
from roas_contracts.rules import Rules

SIZE_OF_TOPIC: Final[Mapping[str, str]] = {AD_METRICS_1M: "1m", AD_METRICS_5M: "5m"}
"""Window size of each metrics topic."""

MS_OF_SIZE: Final[Mapping[str, int]] = {"1m": 60_000, "5m": 300_000}

_MS_OF_A_DAY: Final = 86_400_000
_CLOCKS_DIFFER_MS: Final = 3_600_000
"""How far apart the clocks of who sends events and of who counts them may be."""


class Deltas:
    """Reads the deltas of one day into the figures, each once.

    Args:
        kafka: where they are.
        schemas: of their writers.
        currency: the reporting currency.
        day: the event day.
        figures: takes them.
    """

    def __init__(
        self,
        kafka: WatchedKafka,
        schemas: Schemas,
        currency: str,
        day: date,
        figures: FiguresTable,
    ) -> None:
        self._kafka = kafka
        self._figures = figures
        rules = Rules(group=SERVICE, currency=currency)
        self._decoders = {topic: Decoder(topic, schemas, rules) for topic in SIZE_OF_TOPIC}
        self._first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        self._positions: dict[Position, int] = {}
        self.correction_ids: set[str] = set()
        """Of corrections of the day that were read."""
        self.retained: dict[str, bool] = {}
        """By window size: whether all deltas of the day can still be read."""

    def begin(self, logs: Sequence[Log], earliest_sent_ms: int) -> None:
        """Find out where the day begins.

        Args:
            logs: of the metrics topics.
            earliest_sent_ms: when the day's first event was sent. No delta of the day is older.
        """
        starts = self._kafka.offsets_at(logs, earliest_sent_ms - _CLOCKS_DIFFER_MS)
        for log in logs:
            start = max(log.start, starts[log.topic, log.partition])
            self._positions[log.topic, log.partition] = start
            whole = log.start == 0 or start > log.start
            size = SIZE_OF_TOPIC[log.topic]
            self.retained[size] = whole and self.retained.get(size, True)

    def read_to(self, ends: Mapping[Position, int]) -> None:
        """Read on, up to these offsets."""
        for (topic, partition), end in ends.items():
            start = self._positions[topic, partition]
            if end <= start:
                continue
            for messages in self._kafka.read(topic, partition, Span(start, end)):
                self._figures.add_deltas(
                    [row for message in messages if (row := self._row(topic, message))]
                )
            self._positions[topic, partition] = end

    def _row(self, topic: str, message: Any) -> tuple[Any, ...] | None:
        """A delta as figures; None for what the cache writer does not count, or for another day."""
        items = message.headers()
        try:
            delta = self._decoders[topic].decode(
                message.value(), items, time.time_ns() // 1_000_000
            )
        except PoisonError:
            return None
        if not isinstance(delta, AdMetric):
            return None
        size = SIZE_OF_TOPIC[topic]
        if not 0 <= delta.window_start - self._first < _MS_OF_A_DAY:
            return None
        length = MS_OF_SIZE[size]
        if delta.window_start % length or delta.window_end != delta.window_start + length:
            return None
        correction = headers.last(items, headers.CORRECTION)
        if correction is not None:
            self.correction_ids.add(correction.decode(errors="replace"))
            if headers.last(items, headers.CORRECTION_SCOPE) == Scope.TABLE.encode():
                # It made good what only the table had lost: the topic had it before.
                return None
        start = datetime.fromtimestamp(delta.window_start / 1000, UTC)
        return (
            TOPIC,
            size,
            start,
            delta.dimension,
            delta.value,
            delta.impressions,
            delta.clicks,
            delta.conversions,
            delta.cost_micros,
            delta.revenue_micros,
        )
