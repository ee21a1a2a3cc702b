"""Events to measure with: generated rows through the real producer, and copies with poison."""

import random
import time
from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from roas_bench.bench_stack import BenchStack
from roas_contracts.errors import TransientError
from roas_contracts.events import EVENT_TOPICS

ROWS_PER_HOUR: Final = 168_000
"""Avazu's own density: 40.4 million rows in 240 hours."""

_POISON_SEED: Final = 5
_LONGEST_READ_SECONDS: Final = 1_800.0


def generate(bench: BenchStack, rows: int, **options: str) -> int:
    """Send generated rows as fast as possible and return how many events there are now."""
    hours = max(1, round(rows / ROWS_PER_HOUR))
    extra = [part for name, value in options.items() for part in (f"--{name}", value)]
    summary = bench.run_tool(
        "roas_producer",
        *("generate", "--rows", str(rows), "--hours", str(hours), "--speed", "max", "--json"),
        *extra,
    )
    events: int = summary["events_emitted"]
    return events


def copy(source: str, target: str, poison_share: float) -> int:
    """Copy the event topics to another broker, record by record, with poison strewn in.

    Args:
        source: address of the broker with the events.
        target: address of the other one; it has the topics.
        poison_share: how many poison records come with each event.

    Returns:
        How many poison records there are.

    Raises:
        TransientError: records could not be read or delivered.
    """
    dice = random.Random(_POISON_SEED)
    _same_partitions(source, target)
    producer = Producer(
        {
            "bootstrap.servers": target,
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 262_144,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 400_000,
        }
    )
    poisoned = 0
    for message in messages(source):
        value = message.value()
        _send(producer, message, value)
        if value is not None and dice.random() < poison_share:
            poisoned += 1
            _send(producer, message, _poison(value, dice))
    if producer.flush(120):
        raise TransientError("not every record could be copied")
    return poisoned


def _same_partitions(source: str, target: str) -> None:
    """A copied record keeps its partition, so the target needs as many."""
    admin = AdminClient({"bootstrap.servers": target})
    wanted = AdminClient({"bootstrap.servers": source}).list_topics(timeout=10).topics
    there = admin.list_topics(timeout=10).topics
    more = [
        NewPartitions(topic, len(wanted[topic].partitions))
        for topic in EVENT_TOPICS
        if len(wanted[topic].partitions) > len(there[topic].partitions)
    ]
    if more:
        for future in admin.create_partitions(more).values():
            future.result(30)


def _poison(value: bytes, dice: random.Random) -> bytes:
    """A record that no rule lets pass, made of a good one."""
    kind = dice.randrange(4)
    if kind == 0:
        return dice.randbytes(len(value))
    if kind == 1:
        return value[: dice.randrange(6, len(value))]
    if kind == 2:
        return value + b"\x00"
    return b"\x01" + value[1:]


def _send(producer: Producer, like: Message, value: bytes | None) -> None:
    arguments: dict[str, Any] = {
        "topic": like.topic(),
        "value": value,
        "key": like.key(),
        "partition": like.partition(),
        "headers": like.headers(),
    }
    while True:
        try:
            producer.produce(**arguments)
            return
        except BufferError:
            producer.poll(0.1)


def messages(bootstrap: str) -> Iterator[Message]:
    """Every committed record of the event topics, up to their ends."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-copy",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 10,
        }
    )
    try:
        known = consumer.list_topics(timeout=10).topics
        unread = {(topic, number) for topic in EVENT_TOPICS for number in known[topic].partitions}
        consumer.assign([TopicPartition(topic, number, 0) for topic, number in unread])
        deadline = time.monotonic() + _LONGEST_READ_SECONDS
        while unread:
            if time.monotonic() > deadline:
                raise TransientError("the event topics could not be read to their ends")
            for message in consumer.consume(10_000, timeout=0.5):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((str(message.topic()), int(message.partition() or 0)))
                else:
                    raise TransientError(f"Kafka does not answer: {error.str()}")
    finally:
        consumer.close()
