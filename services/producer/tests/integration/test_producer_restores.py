"""`restore`: the archive back into Kafka, byte for byte, whenever it is killed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from producer_stack import ProducerStack, wait_until

from roas_contracts.archive.format import SCHEMA, Description, records_sha256
from roas_contracts.archive.writing import pack, publish, staged
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS, EVENT_TOPICS
from roas_contracts.heartbeat import heartbeat_headers
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics

NOW_MS = time.time_ns() // 1_000_000 - 60_000

Row = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]] | None]
"""Timestamp, key, value, headers: what must come back."""


def rows(count: int, seed: int) -> list[Row]:
    """Records of every kind: events, heartbeats, poison."""
    chosen = random.Random(seed)
    result: list[Row] = []
    for number in range(count):
        sent_at = NOW_MS + number * 5
        match number % 50:
            case 0:
                result.append((sent_at, None, None, list(heartbeat_headers(NOW_MS))))
            case 1:
                odd = [("trace", None), ("trace", b"\x00\xff"), ("trace", b"")]
                result.append((sent_at, b"", b"", odd))
            case _:
                result.append((sent_at, b"%d" % number, chosen.randbytes(150), None))
    return result


def write(archive: Path, topic: str, partition: int, its: list[Row], first: int = 0) -> Path:
    """A file of the archive; offsets have gaps, as transactions leave them."""
    frame = pl.DataFrame(
        [
            {
                "offset": first + 2 * number,
                "timestamp": timestamp,
                "timestamp_type": 1,
                "key": key,
                "value": value,
                "headers": headers and [{"name": name, "value": item} for name, item in headers],
                "schema_id": None,
                "kind": "event",
                "reason": None,
                "event_day": None,
            }
            for number, (timestamp, key, value, headers) in enumerate(its)
        ],
        schema=SCHEMA,
    )
    description = Description(
        topic=topic,
        topic_id="id",
        cluster_id="cluster",
        partition=partition,
        from_offset=first,
        to_offset=first + 2 * len(its),
        records_sha256=records_sha256(frame),
        schemas={},
    )
    packed = pack(frame, description)
    with staged(archive, packed) as unfinished:
        publish(archive, packed, unfinished)
    return archive / packed.place.path


@pytest.fixture()
def emptied(stack: ProducerStack) -> ProducerStack:
    """The stack with event topics that are new and keep their records."""
    admin = AdminClient({"bootstrap.servers": stack.kafka.bootstrap})
    for future in admin.delete_topics(list(EVENT_TOPICS)).values():
        future.result(30)
    wait_until(
        lambda: not set(EVENT_TOPICS) & set(admin.list_topics(timeout=30).topics), "they are gone"
    )
    create_topics(admin, [load_subjects()[topic] for topic in EVENT_TOPICS], max_replication=1)
    return stack


def committed(stack: ProducerStack, topic: str, partition: int) -> list[Row]:
    consumer = Consumer(
        {
            "bootstrap.servers": stack.kafka.bootstrap,
            "group.id": "test",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    found: list[Row] = []
    deadline = time.monotonic() + 60
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        while True:
            assert time.monotonic() < deadline
            for message in consumer.consume(1000, 0.2):
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    return found
                headers: Any = message.headers()
                found.append((message.timestamp()[1], message.key(), message.value(), headers))
    finally:
        consumer.close()


def restore(stack: ProducerStack, archive: Path, *options: str, code: int = 0) -> Any:
    process = stack.start("restore", "--archive", archive, "--json", *options)
    ended, output = process.finish()
    assert ended == code, process.log_path.read_text()
    return json.loads(output) if code == 0 else process.log_path.read_text()


def test_a_restore_that_is_killed_anywhere_ends_byte_equal(
    emptied: ProducerStack, tmp_path: Path
) -> None:
    planted = {
        (AD_IMPRESSIONS, 0): rows(20_000, 1),
        (AD_IMPRESSIONS, 3): rows(7_000, 2),
        (AD_CLICKS, 1): rows(3_000, 3),
        (AD_CONVERSIONS, 0): rows(10, 4),
    }
    for (topic, partition), its in planted.items():
        half = len(its) // 2
        write(tmp_path, topic, partition, its[:half])
        write(tmp_path, topic, partition, its[half:], first=2 * half)
        # What a killed archiver may leave: an overlapping file.
        write(tmp_path, topic, partition, its[:5])
    chosen = random.Random(7)
    for _ in range(3):
        process = emptied.start("restore", "--archive", tmp_path, commit_records="2000")
        process.wait_for_commits(chosen.randint(1, 3))
        time.sleep(chosen.uniform(0, 0.05))
        process.kill()
    done = restore(emptied, tmp_path)
    assert done["complete"]
    assert all(count > 0 for count in done["found"].values())
    for (topic, partition), its in planted.items():
        assert committed(emptied, topic, partition) == its
    again = restore(emptied, tmp_path)
    assert again["sent"] == {}
    assert sum(again["found"].values()) == sum(map(len, planted.values()))


def test_what_a_restore_must_not_do_is_refused_in_one_sentence(
    emptied: ProducerStack, tmp_path: Path
) -> None:
    path = write(tmp_path, AD_CLICKS, 0, rows(100, 1))
    assert "is no folder" in restore(emptied, tmp_path / "absent", code=2)
    (tmp_path / "empty").mkdir()
    assert "has no file of" in restore(emptied, tmp_path / "empty", code=2)

    later = write(tmp_path, AD_CLICKS, 0, rows(10, 2), first=500)
    assert "lacks ad-clicks[0] offsets 200 to 499" in restore(emptied, tmp_path, code=2)
    later.unlink()

    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2] + b"\x00" + good[len(good) // 2 + 1 :])
    assert path.name in restore(emptied, tmp_path, code=2)
    assert committed(emptied, AD_CLICKS, 0) == []
    path.write_bytes(good)

    other = tmp_path / AD_CLICKS / "another" / "0"
    other.mkdir(parents=True)
    (other / path.name).write_bytes(good)
    assert "one of another, id" in restore(emptied, tmp_path, code=2)

    admin = AdminClient({"bootstrap.servers": emptied.kafka.bootstrap})
    short = ConfigResource(
        ResourceType.TOPIC,
        AD_CLICKS,
        incremental_configs=[ConfigEntry("retention.ms", "1000", incremental_operation=_SET)],
    )
    for future in admin.incremental_alter_configs([short]).values():
        future.result(30)
    chosen = ("--topic-id", f"{AD_CLICKS}=id")
    assert "raise the topic's retention.ms" in restore(emptied, tmp_path, *chosen, code=2)

    producer = Producer({"bootstrap.servers": emptied.kafka.bootstrap})
    producer.produce(AD_CLICKS, b"live", partition=1)
    assert producer.flush(30) == 0
    refused = restore(emptied, tmp_path, *chosen, "--even-expired", code=2)
    assert "ad-clicks[1] is not empty" in refused


_SET = AlterConfigOpType.SET
