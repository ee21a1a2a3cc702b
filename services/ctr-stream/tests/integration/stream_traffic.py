"""Ad traffic for the tests, and what it must add up to, computed without the stream's code."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from confluent_kafka import Producer

from roas_contracts.codec import Codec
from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    EVENT_TOPICS,
    AdClick,
    AdConversion,
    AdImpression,
    PlacementType,
    Source,
)
from roas_contracts.heartbeat import heartbeat_headers

MINUTE = 60_000
START = 1_413_849_600_000  # 2014-10-21T00:00:00Z, the first hour of Avazu's set.
PARTITIONS = {AD_IMPRESSIONS: 4, AD_CLICKS: 2, AD_CONVERSIONS: 2}

AdEvent: TypeAlias = AdImpression | AdClick | AdConversion
Row: TypeAlias = tuple[int, int, str, str]
"""(window length, window start, dimension, value), milliseconds."""
Measures: TypeAlias = tuple[int, int, int, int, int]
"""Impressions, clicks, conversions, cost and revenue in micros."""

TOPIC_OF = {AdImpression: AD_IMPRESSIONS, AdClick: AD_CLICKS, AdConversion: AD_CONVERSIONS}


@dataclass(frozen=True, slots=True)
class _Dimensions:
    campaign_id: str
    placement_type: PlacementType
    placement_id: str
    banner_pos: int
    device_type: int

    def common(self, rng: random.Random) -> dict[str, object]:
        return {
            "source": Source.GENERATED,
            "campaign_id": self.campaign_id,
            "advertiser_id": "a1",
            "creative_id": "c1",
            "placement_type": self.placement_type,
            "placement_id": self.placement_id,
            "placement_domain": "",
            "placement_category": "Nachrichten – 뉴스",
            "banner_pos": self.banner_pos,
            "device_type": self.device_type,
            "connection_type": rng.randrange(4),
            "currency": "USD",
        }


def events(seed: int, start: int, end: int, count: int, disorder_ms: int = 0) -> Iterator[AdEvent]:
    """Events between two times, in the order in which they are sent.

    Args:
        seed: the same seed gives the same events.
        start: earliest event time.
        end: no event has this time or a later one.
        count: how many.
        disorder_ms: how far an event may be behind the one before it.
    """
    rng = random.Random(seed)
    for number in range(count):
        clock = start + (end - start) * number // count
        when = max(start, clock - rng.randrange(disorder_ms + 1))
        dimensions = _Dimensions(
            campaign_id=f"c{min(int(rng.expovariate(0.2)), 40)}",
            placement_type=rng.choice((PlacementType.SITE, PlacementType.APP)),
            placement_id=f"{rng.randrange(30):08x}",
            banner_pos=rng.choice((0, 0, 0, 1, 7)),
            device_type=rng.choice((0, 1, 1, 4)),
        ).common(rng)
        yield _event(rng, f"{seed}-{number}", when, start, dimensions)


def _event(
    rng: random.Random, event_id: str, when: int, start: int, common: Mapping[str, object]
) -> AdEvent:
    kind = rng.random()
    if kind < 0.8:
        return AdImpression(
            event_id=event_id,
            event_time=when,
            labelled=True,
            cost_micros=rng.randrange(5_000),
            device_ip=rng.choice((None, "ip")),
            attributes={"C1": "1005", "C18": "é"},
            **common,  # type: ignore[arg-type]
        )
    shown = max(start, when - rng.randrange(60_000))
    if kind < 0.97:
        return AdClick(
            event_id=event_id,
            impression_id="i",
            event_time=when,
            impression_time=shown,
            cost_micros=rng.randrange(300_000),
            **common,  # type: ignore[arg-type]
        )
    return AdConversion(
        event_id=event_id,
        impression_id="i",
        event_time=when,
        impression_time=shown,
        click_id=rng.choice((None, "k")),
        conversion_type="purchase",
        revenue_micros=rng.randrange(90_000_000),
        **common,  # type: ignore[arg-type]
    )


def expected_rows(sent: list[AdEvent]) -> dict[Row, Measures]:
    """What the metrics of these events must add up to, in both window lengths."""
    sums: dict[Row, Counter[int]] = defaultdict(Counter)
    for event in sent:
        measures = _measures(event)
        for length in (MINUTE, 5 * MINUTE):
            window = event.event_time - event.event_time % length
            for dimension, value in (
                ("total", "all"),
                ("campaign", event.campaign_id),
                ("placement", f"{event.placement_type.lower()}:{event.placement_id}"),
                ("banner_pos", str(event.banner_pos)),
                ("device_type", str(event.device_type)),
            ):
                row = sums[length, window, dimension, value]
                for position, amount in enumerate(measures):
                    row[position] += amount
    return {row: (total[0], total[1], total[2], total[3], total[4]) for row, total in sums.items()}


def _measures(event: AdEvent) -> Measures:
    if isinstance(event, AdImpression):
        return 1, 0, 0, event.cost_micros, 0
    if isinstance(event, AdClick):
        return 0, 1, 0, event.cost_micros, 0
    return 0, 0, 1, 0, event.revenue_micros


class Sender:
    """Sends records to the event topics; `flush` before relying on them."""

    def __init__(self, bootstrap: str, schema_ids: Mapping[str, int], **settings: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 1_000_000,
                **settings,
            }
        )
        self._codecs = {topic: Codec.for_topic(topic, schema_ids[topic]) for topic in EVENT_TOPICS}
        self.failures: list[str] = []

    def encode(self, event: AdEvent) -> bytes:
        return self._codecs[TOPIC_OF[type(event)]].encode(event)

    def send(self, event: AdEvent, partition: int | None = None) -> None:
        key = event.event_id if isinstance(event, AdImpression) else event.impression_id
        self.send_raw(
            TOPIC_OF[type(event)], self.encode(event), partition=partition, key=key.encode()
        )

    def send_raw(
        self,
        topic: str,
        value: bytes | None,
        *,
        partition: int | None = None,
        key: bytes | None = None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
    ) -> None:
        self._producer.produce(
            topic,
            value,
            key,
            -1 if partition is None else partition,  # -1: by the key.
            headers=headers,
            on_delivery=self._delivered,
        )
        self._producer.poll(0)

    def heartbeat(self, clock: int, partitions: Mapping[str, int] = PARTITIONS) -> None:
        """To every partition of every event topic."""
        for topic, count in partitions.items():
            for partition in range(count):
                self.send_raw(
                    topic, None, partition=partition, headers=list(heartbeat_headers(clock))
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything sent in it shows at once; needs the setting `transactional.id`."""
        self._producer.init_transactions(30)
        self._producer.begin_transaction()
        yield
        self._producer.commit_transaction(30)

    def flush(self) -> None:
        left = self._producer.flush(30)
        assert left == 0, f"{left} records were not delivered"
        assert not self.failures, self.failures[:3]

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self.failures.append(str(error))
