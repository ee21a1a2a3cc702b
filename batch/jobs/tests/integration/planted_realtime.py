"""Realtime as ctr-stream and cache-writer leave it, planted by hand: deltas, tables, offsets.

Windows are counted here with a dict and nothing of the batch's code or SQL.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from batch_stack import BatchStack
from confluent_kafka import Consumer, KafkaError, TopicPartition

from roas_contracts.codec import Codec
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError
from roas_contracts.events import (
    DEAD_LETTERS,
    EVENT_TOPICS,
    AdClick,
    AdConversion,
    AdImpression,
    AdMetric,
    DeadLetterReason,
    DeltaKind,
    PlacementType,
)
from roas_contracts.metric_key import metric_key
from roas_contracts.registry import SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject

TOPICS = {"1m": "ad-metrics-1m", "5m": "ad-metrics-5m"}
MILLIS = {"1m": 60_000, "5m": 300_000}
MEASURES = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")

Cell = tuple[str, int, str, str]
"""Size, window start in milliseconds, dimension, value."""
Sums = tuple[int, ...]


def counted(events: Iterable[AdImpression | AdClick | AdConversion]) -> dict[Cell, Sums]:
    """What the stream has to say about these events."""
    sums: dict[Cell, list[int]] = defaultdict(lambda: [0] * 5)
    for event in events:
        sold = isinstance(event, AdConversion)
        parts = (
            isinstance(event, AdImpression),
            isinstance(event, AdClick),
            sold,
            0 if isinstance(event, AdConversion) else event.cost_micros,
            event.revenue_micros if isinstance(event, AdConversion) else 0,
        )
        prefix = "site:" if event.placement_type is PlacementType.SITE else "app:"
        for size, length in MILLIS.items():
            start = event.event_time - event.event_time % length
            for dimension, value in (
                ("total", "all"),
                ("campaign", event.campaign_id),
                ("placement", prefix + event.placement_id),
                ("banner_pos", str(event.banner_pos)),
                ("device_type", str(event.device_type)),
            ):
                cell = sums[size, start, dimension, value]
                for index, part in enumerate(parts):
                    cell[index] += part
    return {cell: tuple(found) for cell, found in sums.items()}


class PlantedRealtime:
    """Plays stream and cache writer on a stack."""

    def __init__(self, stack: BatchStack) -> None:
        self.stack = stack
        topics = (*TOPICS.values(), DEAD_LETTERS)
        stack.new_topics(topics)
        registry = stack.registry
        self._codecs = {t: Codec.for_topic(t, registry.schema_id(t)) for t in topics}
        rules = Rules(group="cache-writer", currency="USD")
        source = SchemaSource(registry)
        self._decoders = {t: Decoder(t, source, rules) for t in TOPICS.values()}
        self._next: dict[tuple[str, int], int] = {
            (topic, number): 0
            for topic in TOPICS.values()
            for number in range(load_subject(topic).file.topic.partitions)
        }

    def emit(self, sums: Mapping[Cell, Sums], kind: DeltaKind = DeltaKind.ON_TIME) -> None:
        """The stream's deltas."""
        now_ms = time.time_ns() // 1_000_000
        for size, topic in TOPICS.items():
            records = []
            for (its_size, start, dimension, value), found in sums.items():
                if its_size != size:
                    continue
                delta = AdMetric(
                    dimension=dimension,
                    value=value,
                    window_start=start,
                    window_end=start + MILLIS[size],
                    kind=kind,
                    currency="USD",
                    emitted_at=now_ms,
                    **dict(zip(MEASURES, found, strict=True)),
                )
                key = metric_key(dimension, value)
                records.append((key, self._codecs[topic].encode(delta), None))
            self.stack.send(topic, records)

    def dead_letter(self, topic: str, partition: int, offset: int) -> None:
        """The stream's dead letter for one record."""
        consumer = self._consumer("ctr-stream-letters")
        consumer.assign([TopicPartition(topic, partition, offset)])
        message = consumer.poll(30)
        consumer.close()
        assert message is not None
        assert message.error() is None
        build = DeadLetterBuilder("ctr-stream", "0.1.0", "ctr-stream")
        error = PoisonError(DeadLetterReason.UNDECODABLE, "planted")
        letter = build.from_record(message, error, stage="decode", now_ms=1)
        encoded = self._codecs[DEAD_LETTERS].encode(letter)
        self.stack.send(DEAD_LETTERS, [(letter.dead_letter_id.encode(), encoded, None)])

    def pass_all(self, behind: Mapping[tuple[str, int], int] | None = None) -> None:
        """The stream has read the event topics to their ends, or up to these offsets."""
        consumer = self._consumer("ctr-stream")
        offsets = []
        for topic in EVENT_TOPICS:
            for number in range(load_subject(topic).file.topic.partitions):
                at = TopicPartition(topic, number)
                end = consumer.get_watermark_offsets(at, timeout=30)[1]
                offset = (behind or {}).get((topic, number), end)
                offsets.append(TopicPartition(topic, number, offset))
        consumer.commit(offsets=offsets, asynchronous=False)
        consumer.close()

    def apply(self) -> None:
        """The cache writer: what is new in the metrics topics, and the offsets, in one go."""
        consumer = self._consumer("planted-cache-writer")
        try:
            consumer.assign([TopicPartition(*at, offset) for at, offset in self._next.items()])
            deltas: list[tuple[str, AdMetric]] = []
            reached = dict(self._next)
            open_ends = set(self._next)
            deadline = time.monotonic() + 60
            while open_ends:
                assert time.monotonic() < deadline, f"not read to their ends: {open_ends}"
                for message in consumer.consume(500, 0.1):
                    topic, number, offset = message.topic(), message.partition(), message.offset()
                    assert topic is not None
                    assert number is not None
                    assert offset is not None
                    error = message.error()
                    if error is not None:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        reached[topic, number] = max(offset, reached[topic, number])
                        open_ends.discard((topic, number))
                        continue
                    delta = self._decoders[topic].decode(message.value(), None, time.time_ns())
                    assert isinstance(delta, AdMetric)
                    deltas.append((topic, delta))
        finally:
            consumer.close()
        self._store(deltas, reached)
        self._next = reached

    @contextmanager
    def applying(self) -> Iterator[None]:
        """A cache writer that goes on and on."""
        stop = threading.Event()
        failures: list[BaseException] = []

        def loop() -> None:
            try:
                while not stop.is_set():
                    self.apply()
                    stop.wait(0.1)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(90)
        assert failures == []

    def _store(
        self, deltas: Iterable[tuple[str, AdMetric]], reached: Mapping[tuple[str, int], int]
    ) -> None:
        kinds = {
            DeltaKind.ON_TIME: "on_time",
            DeltaKind.LATE: "late",
            DeltaKind.CORRECTION: "correction",
        }
        every = [f"{kind}_{measure}" for kind in kinds.values() for measure in MEASURES]
        every += [f"{kind}_deltas" for kind in kinds.values()]
        added = ", ".join(f"{name} = m.{name} + excluded.{name}" for name in every)
        cluster = self.stack.admin.list_topics(timeout=30).cluster_id
        with psycopg.connect(self.stack.dsn) as connection:
            for topic, delta in deltas:
                size = "1m" if topic == TOPICS["1m"] else "5m"
                table = f"metrics_{size}"
                connection.execute(
                    "SELECT realtime.ensure_day_partition(%s, (to_timestamp(%s / 1000.0)"
                    " AT TIME ZONE 'UTC')::date)",
                    (table, delta.window_start),
                )
                row = dict.fromkeys(every, 0)
                kind = kinds[delta.kind]
                row |= {f"{kind}_{name}": getattr(delta, name) for name in MEASURES}
                row[f"{kind}_deltas"] = 1
                insert = (
                    f"INSERT INTO realtime.{table} AS m (window_start, dimension, value, currency,"
                    f" {', '.join(every)}, first_emitted_at, last_emitted_at, revision)"
                    f" VALUES (to_timestamp(%s / 1000.0), %s, %s, 'USD',"
                    f" {', '.join(['%s'] * len(every))}, now(), now(), 1)"
                    f" ON CONFLICT (window_start, dimension, value, currency) DO UPDATE SET {added}"
                )
                values: list[Any] = [delta.window_start, delta.dimension, delta.value]
                connection.execute(insert.encode(), [*values, *row.values()])
                if delta.dimension == "total" and delta.kind is DeltaKind.ON_TIME:
                    connection.execute(
                        "INSERT INTO realtime.freshness AS f (window_size, newest_window_start,"
                        " newest_complete_window_start, newest_emitted_at)"
                        " SELECT %s, t, t, now() FROM (SELECT to_timestamp(%s / 1000.0) AS t)"
                        " AS newest ON CONFLICT (window_size) DO UPDATE SET"
                        " newest_complete_window_start = greatest("
                        "f.newest_complete_window_start, excluded.newest_complete_window_start)",
                        (size, delta.window_start),
                    )
            for (topic, number), offset in reached.items():
                connection.execute(
                    "INSERT INTO realtime.consumed_offsets (consumer_group, topic, partition,"
                    " next_offset, cluster_id, topic_id, writer_epoch)"
                    " VALUES ('cache-writer', %s, %s, %s, %s, 't', 1)"
                    " ON CONFLICT (consumer_group, topic, partition)"
                    " DO UPDATE SET next_offset = excluded.next_offset",
                    (topic, number, offset, cluster),
                )

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.stack.servers.kafka.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 10,
            }
        )
