"""A wrong producer release is found, repaired by rule and replayed: as if it had never happened."""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from whole_stack import BACKGROUND_SUPERVISOR, WholeStack, wait_until

from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.events import EVENT_TOPICS, AdClick, AdConversion, AdImpression, Source
from roas_contracts.headers import of as headers_of
from roas_contracts.heartbeat import Heartbeat, heartbeat_headers
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subjects

pytestmark = [pytest.mark.timeout(900), BACKGROUND_SUPERVISOR]

ROWS = 4_000
# Before the days of the other tests.
FIRST_DAY = datetime.fromisoformat("2014-09-01T00:00:00+00:00")
A_WEEK = timedelta(days=7)
WEEK_MS = 7 * 86_400_000
TIMES = ("event_time", "impression_time", "click_time")
NOW_MS = 1_767_225_600_000

RULES = """
description: a producer release wrote times in seconds
rules:
  - name: impressions
    when:
      topics: [ad-impressions]
      fields:
        event_time: {at_least: 1000000000, below: 10000000000}
    steps:
      - multiply: {field: event_time, by: 1000}
  - name: clicks
    when:
      topics: [ad-clicks]
      fields:
        event_time: {at_least: 1000000000, below: 10000000000}
    steps:
      - multiply: {field: event_time, by: 1000}
      - multiply: {field: impression_time, by: 1000}
  - name: conversions
    when:
      topics: [ad-conversions]
      fields:
        event_time: {at_least: 1000000000, below: 10000000000}
    steps:
      - multiply: {field: event_time, by: 1000}
      - multiply: {field: impression_time, by: 1000}
      - multiply: {field: click_time, by: 1000}
"""


@pytest.fixture(scope="module")
def clean_run(stack: WholeStack) -> WholeStack:
    """Generated rows have gone through."""
    producer = stack.producer(
        "generate", "--rows", str(ROWS), "--hours", "1", "--start", "2014-09-01T00:00Z"
    )
    producer.spawn()
    assert producer.wait_exit(300) == 0, stack.log("producer")
    stack.ledger(300)
    return stack


def test_a_wrong_release_that_was_repaired_counts_as_a_clean_run(
    clean_run: WholeStack, tmp_path: Path
) -> None:
    stack = clean_run
    damaged = publish_a_week_later(stack)
    assert all(damaged[topic] > 0 for topic in EVENT_TOPICS[:2])

    # Found: the service has stored them, and the histogram says what they are.
    def stored() -> Counter[str]:
        done = stack.dlq("stats", "--json", "--reason", "EVENT_TIME_OUT_OF_BOUNDS")
        bars = stack.answer(done) if done.returncode == 0 else []
        return Counter({b["value"]: b["count"] for b in bars if b["dimension"] == "topic"})

    wait_until("the dead letters are stored", lambda: stored() == damaged, 180)
    assert clicks_per_window(stack, A_WEEK) != clicks_per_window(stack)

    # Repaired: tried on a sample, then sent.
    rules = tmp_path / "seconds.yaml"
    rules.write_text(RULES)
    for topic, count in damaged.items():
        sample = stack.dlq("fix", str(rules), "--topic", topic, "--json")
        assert sample.returncode == 0, sample.stderr
        fixed = stack.dlq("fix", str(rules), "--topic", topic, "--yes", "--json")
        assert fixed.returncode == 0, fixed.stderr
        assert stack.answer(fixed)["done"] == count

    # All clear: every record is accounted for, and every window is that of the clean run.
    report = stack.ledger(300)
    dead = {line["topic"]: line["dead"] for line in report["topics"]}
    assert dead == {topic: damaged[topic] for topic in EVENT_TOPICS}
    for size in ("1m", "5m"):
        assert windows(stack, size, A_WEEK) == windows(stack, size)
    assert stack.dlq("ls").returncode == 1


def publish_a_week_later(stack: WholeStack) -> Counter[str]:
    """The clean run's events again, a week later, by a release that is wrong in one of twenty."""
    registry = Registry(stack.environment["ROAS_CONTRACTS_REGISTRY_URL"])
    producer = Producer({"bootstrap.servers": stack.bootstrap, "partitioner": "murmur2_random"})
    damaged: Counter[str] = Counter()
    newest = 0
    for topic in EVENT_TOPICS:
        codec = Codec.for_topic(topic, registry.schema_id(topic))
        # All of them first: what is published here goes to the same topic.
        for key, event in list(events_of(stack, topic, SchemaSource(registry))):
            times = {
                name: getattr(event, name) + WEEK_MS
                for name in TIMES
                if getattr(event, name, None) is not None
            }
            newest = max(newest, times["event_time"])
            if zlib.crc32(event.event_id.encode()) % 20 == 0:
                times = {name: time // 1000 for name, time in times.items()}
                damaged[topic] += 1
            moved: Any = dataclasses.replace(event, source=Source.EXTERNAL, **times)
            producer.produce(topic, key=key, value=codec.encode(moved))
    assert producer.flush(60) == 0
    for topic in EVENT_TOPICS:  # One past the end, so that the windows close.
        for partition in range(load_subjects()[topic].file.topic.partitions):
            headers: Any = heartbeat_headers(newest + 600_000)
            producer.produce(topic, partition=partition, headers=headers)
    assert producer.flush(60) == 0
    return damaged


def events_of(
    stack: WholeStack, topic: str, schemas: SchemaSource
) -> Iterator[tuple[bytes | None, AdImpression | AdClick | AdConversion]]:
    decoder = Decoder(topic, schemas, Rules(group="test"))
    behind = set(range(load_subjects()[topic].file.topic.partitions))
    consumer = Consumer(
        {
            "bootstrap.servers": stack.bootstrap,
            "group.id": "test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in behind])
        deadline = time.monotonic() + 60
        while behind:
            assert time.monotonic() < deadline, f"{topic} was not read to its end"
            for message in consumer.consume(1000, 0.5):
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    behind.discard(int(message.partition() or 0))
                    continue
                event: Any = decoder.decode(message.value(), headers_of(message), NOW_MS)
                if not isinstance(event, Heartbeat) and event.event_time < _ms(FIRST_DAY + A_WEEK):
                    yield message.key(), event
    finally:
        consumer.close()


def windows(stack: WholeStack, size: str, later: timedelta = timedelta()) -> Counter[Any]:
    """Every figure of every window of the clean run's week, or of a later one moved to it."""
    found: Counter[Any] = Counter()
    with psycopg.connect(stack.dsn) as connection:
        rows = connection.execute(
            "SELECT window_start, dimension, value, impressions, clicks, conversions, cost_micros,"
            f" revenue_micros FROM realtime_v1.metrics_{size}"
            " WHERE window_start >= %s AND window_start < %s",
            (FIRST_DAY + later, FIRST_DAY + later + A_WEEK),
        )
        for start, *rest in rows:
            found[(start - later, *rest)] += 1
    assert found
    return found


def clicks_per_window(stack: WholeStack, later: timedelta = timedelta()) -> Counter[Any]:
    return Counter({row[:3]: row[4] for row in windows(stack, "1m", later)})


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
