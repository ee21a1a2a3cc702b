"""A finished run of the pipeline, planted by hand: real servers, but no service of ours runs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace

import psycopg
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from planted_run import (
    CLICKS,
    CONVERSIONS,
    END_CLOCK,
    EVENT_TOPICS,
    IMPRESSIONS,
    METRIC_TOPICS,
    T0,
    TOPIC_OF,
    click,
    counted,
    deltas,
    impression,
    one_run,
)
from planted_stores import PlantedStores

from roas_contracts.codec import Codec
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.errors import PoisonError
from roas_contracts.events import (
    AdClick,
    AdConversion,
    AdImpression,
    AdMetric,
    DeadLetter,
    DeadLetterReason,
    DeltaKind,
    Event,
    ProducerProgress,
)
from roas_contracts.heartbeat import heartbeat_headers
from roas_contracts.metric_key import metric_key
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics
from roas_ledger.settings import LedgerSettings

Position = tuple[str, int, int]


@dataclass(frozen=True)
class Servers:
    """Addresses of the real servers."""

    bootstrap: str
    registry_url: str
    dsn: str
    redis_url: str

    def ledger_settings(self) -> LedgerSettings:
        return LedgerSettings.model_validate(
            {
                "kafka_bootstrap": self.bootstrap,
                "registry_url": self.registry_url,
                "postgres_dsn": self.dsn,
                "redis_url": self.redis_url,
            }
        )


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait, bounded, for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come true in time"
        time.sleep(0.05)


@dataclass
class PlantedPipeline:
    """Plants a finished run into the servers, and offers to damage it."""

    servers: Servers
    codecs: dict[str, Codec] = field(init=False)
    poison: list[Position] = field(default_factory=list)
    planted: list[tuple[str, AdMetric]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with closing(Registry(self.servers.registry_url)) as registry:
            registry.register(load_subjects().values())
            self.codecs = {
                topic: Codec.for_topic(topic, registry.schema_id(topic))
                for topic in load_subjects()
            }
        self.admin = AdminClient({"bootstrap.servers": self.servers.bootstrap})
        self.producer = self.new_producer()
        self.stores = PlantedStores(self.servers.dsn, self.servers.redis_url)

    def restore_stores(self) -> None:
        """Tables and Redis as they were after `plant`."""
        self.stores.clear()
        self.fill_stores()

    def fill_stores(self) -> None:
        self.stores.store(self.planted)
        self.stores.cache(self.planted)
        self.consume_all()

    def new_producer(self) -> Producer:
        producer = Producer(
            {
                "bootstrap.servers": self.servers.bootstrap,
                "transactional.id": f"planter-{uuid.uuid4()}",
                "partitioner": "murmur2_random",
            }
        )
        producer.init_transactions(30)
        return producer

    def clear(self) -> None:
        """Fresh topics, empty tables, empty Redis."""
        subjects = load_subjects()
        existing = self.topics()
        if existing:
            for future in self.admin.delete_topics(list(existing)).values():
                future.result(timeout=30)
            wait_until(lambda: not self.topics())
        create_topics(self.admin, subjects.values(), max_replication=1)
        wait_until(lambda: self.topics() == set(subjects))
        self.producer = self.new_producer()  # One that has never heard of the old topics.
        self.stores.clear()

    def topics(self) -> set[str]:
        """Our topics, as a client that has cached nothing sees them."""
        admin = AdminClient({"bootstrap.servers": self.servers.bootstrap})
        return set(admin.list_topics(timeout=10).topics) & set(load_subjects())

    def plant(
        self,
        letters: Callable[[list[Position]], list[Position]] = lambda positions: positions,
        forge: Callable[[DeadLetter], DeadLetter] = lambda letter: letter,
        hold_back: bool = False,
    ) -> Callable[[], None]:
        """A whole finished run; its last three impressions were counted as late.

        Args:
            letters: which poison positions get a dead letter.
            forge: what becomes of the first dead letter.
            hold_back: leave everything behind the events to the function that is returned.
        """
        now_ms = time.time_ns() // 1_000_000
        events = one_run()
        lately = [event for event in events if isinstance(event, AdImpression)][-3:]
        on_time = [event for event in events if event not in lately]
        self.send_events(events)
        self.poison = self.send_poison()
        self.heartbeat(END_CLOCK)
        self.send_progress(events)
        self.planted = [
            *deltas(counted(on_time), DeltaKind.ON_TIME, now_ms),
            *deltas(counted(lately), DeltaKind.LATE, now_ms),
        ]

        def finish() -> None:
            self.send_dead_letters(letters(self.poison), forge)
            self.send_deltas(self.planted)
            self.fill_stores()

        if not hold_back:
            finish()
        return finish

    def send_events(self, events: Iterable[Event]) -> None:
        self.producer.begin_transaction()
        for event in events:
            assert isinstance(event, AdImpression | AdClick | AdConversion)
            topic = TOPIC_OF[type(event)]
            key = event.event_id if isinstance(event, AdImpression) else event.impression_id
            self.producer.produce(topic, self.codecs[topic].encode(event), key)
        self.producer.commit_transaction(30)

    def heartbeat(self, clock_ms: int) -> None:
        """One heartbeat to every partition of every event topic."""
        self.producer.begin_transaction()
        for topic in EVENT_TOPICS:
            for partition in range(load_subjects()[topic].file.topic.partitions):
                headers: list[tuple[str, str | bytes | None]] = [*heartbeat_headers(clock_ms)]
                self.producer.produce(topic, None, None, partition=partition, headers=headers)
        self.producer.commit_transaction(30)

    def send_poison(self) -> list[Position]:
        """Four poison records and one for another group; returns the poison's positions.

        The one with headers comes first: Kafka reports deliveries in any order of partitions.
        """
        good = self.codecs[CLICKS].encode(click(impression(900, T0 + 60_000), 1_000))
        positions: list[Position] = []

        def note(error: object, message: object) -> None:
            assert error is None
            positions.append((message.topic(), message.partition(), message.offset()))  # type: ignore[attr-defined]

        self.producer.begin_transaction()
        twice: list[tuple[str, str | bytes | None]] = [("h", b"1"), ("h", None)]
        self.producer.produce(IMPRESSIONS, b"\x07rubbish", b"k", headers=twice, on_delivery=note)
        self.producer.produce(CLICKS, good + b"\0", None, on_delivery=note)
        self.producer.produce(CLICKS, good[:-3], b"k", on_delivery=note)
        self.producer.produce(CONVERSIONS, None, b"k", on_delivery=note)
        for_others: list[tuple[str, str | bytes | None]] = [("roas-for-group", b"batch")]
        self.producer.produce(CLICKS, good, b"k", headers=for_others)
        self.producer.commit_transaction(30)
        return sorted(positions, key=lambda position: (position[0] != IMPRESSIONS, position))

    def send_dead_letters(
        self,
        positions: Iterable[Position],
        forge: Callable[[DeadLetter], DeadLetter] = lambda letter: letter,
    ) -> None:
        """The stream's dead letters for records at these positions; the first one forged."""
        build = DeadLetterBuilder("ctr-stream", "0.1.0", "ctr-stream")
        reasons = {
            b"\x07rubbish": DeadLetterReason.NOT_WIRE_FORMAT,
            None: DeadLetterReason.NULL_VALUE,
        }
        letters = []
        for message in self.read_at(positions):
            value = message.value()
            # The record with a byte too many is the one without a key.
            trailing = message.key() is None
            other = DeadLetterReason.TRAILING_BYTES if trailing else DeadLetterReason.UNDECODABLE
            error = PoisonError(reasons.get(value, other), "planted")
            letters.append(build.from_record(message, error, stage="decode", now_ms=1))
        letters[:1] = map(forge, letters[:1])
        self.producer.begin_transaction()
        for letter in letters:
            encoded = self.codecs["dead-letters"].encode(letter)
            self.producer.produce("dead-letters", encoded, letter.dead_letter_id)
        self.producer.commit_transaction(30)

    def send_again(self, message: Message, dead_letter_id: str) -> None:
        """A record once more, as a replay of a dead letter."""
        headers: list[tuple[str, str | bytes | None]] = [("roas-replay-of", dead_letter_id)]
        self.producer.begin_transaction()
        self.producer.produce(
            message.topic() or "", message.value(), message.key(), headers=headers
        )
        self.producer.commit_transaction(30)

    def read_at(self, positions: Iterable[Position]) -> list:  # type: ignore[type-arg]
        """The records at positions, as consumed."""
        found = []
        for topic, partition, offset in positions:
            consumer = Consumer(
                {
                    "bootstrap.servers": self.servers.bootstrap,
                    "group.id": "planter",
                    "enable.auto.commit": False,
                }
            )
            consumer.assign([TopicPartition(topic, partition, offset)])
            message = consumer.poll(15)
            assert message is not None
            assert message.error() is None
            assert message.offset() == offset
            found.append(message)
            consumer.close()
        return found

    def send_deltas(self, planted: Iterable[tuple[str, AdMetric]]) -> None:
        self.producer.begin_transaction()
        for topic, delta in planted:
            key = metric_key(delta.dimension, delta.value)
            self.producer.produce(topic, self.codecs[topic].encode(delta), key)
        self.producer.commit_transaction(30)

    def send_progress(self, events: list[Event]) -> None:
        kinds = [type(event) for event in events]
        progress = ProducerProgress(
            input="planted",
            input_name="planted",
            options="{}",
            rows_read=kinds.count(AdImpression),
            impressions=kinds.count(AdImpression),
            clicks=kinds.count(AdClick),
            conversions=kinds.count(AdConversion),
            dead_letters=0,
            emitted_through=END_CLOCK,
            events_emitted=len(events),
            rebase_ms=0,
            finished=True,
            updated_at=1,
        )
        earlier = replace(progress, rows_read=1, impressions=1, finished=False)
        self.producer.begin_transaction()
        for record in (earlier, progress):
            encoded = self.codecs["producer-progress"].encode(record)
            self.producer.produce("producer-progress", encoded, "planted")
        self.producer.commit_transaction(30)

    def consume_all(self) -> None:
        """Both consumers have read everything."""
        cluster = self.admin.list_topics(timeout=10).cluster_id
        consumer = Consumer({"bootstrap.servers": self.servers.bootstrap, "group.id": "ctr-stream"})
        partitions = {
            topic: range(load_subjects()[topic].file.topic.partitions)
            for topic in (*EVENT_TOPICS, *METRIC_TOPICS.values())
        }
        ends = {
            (topic, number): consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=10
            )[1]
            for topic, numbers in partitions.items()
            for number in numbers
        }
        consumer.commit(
            offsets=[
                TopicPartition(topic, number, end)
                for (topic, number), end in ends.items()
                if topic in EVENT_TOPICS
            ],
            asynchronous=False,
        )
        consumer.close()
        with psycopg.connect(self.servers.dsn) as connection:
            for (topic, number), end in ends.items():
                if topic not in EVENT_TOPICS:
                    connection.execute(
                        "INSERT INTO realtime.consumed_offsets (consumer_group, topic, partition,"
                        " next_offset, cluster_id, topic_id, writer_epoch)"
                        " VALUES ('cache-writer', %s, %s, %s, %s, 't', 1)"
                        " ON CONFLICT (consumer_group, topic, partition)"
                        " DO UPDATE SET next_offset = excluded.next_offset",
                        [topic, number, end, cluster],
                    )
