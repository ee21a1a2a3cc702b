"""A dead letter holds whatever its topic could carry, also what was small only while packed."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from roas_contracts.codec import Codec
from roas_contracts.consuming.dead_letter_sink import DeadLetterSink, largest_dead_letter_bytes
from roas_contracts.consuming.positions import Reader
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import DEAD_LETTERS, DeadLetter, DeadLetterReason
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject, load_subjects
from roas_contracts.topics import create_topics
from roas_local.components import KafkaBroker

TOPIC = "ad-metrics-1m"
READER = Reader("cache-writer", "ROAS_CACHE_WRITER_")
BUILDER = DeadLetterBuilder("cache-writer", "0.1.0", "cache-writer")
ERROR = PoisonError(DeadLetterReason.NOT_WIRE_FORMAT, "not ours")


class OneSchema:
    """The registry of this test."""

    def schema(self, schema_id: int) -> str:
        return load_subject(DEAD_LETTERS).latest.text


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as started:
        admin = AdminClient({"bootstrap.servers": started.bootstrap})
        create_topics(admin, load_subjects().values(), max_replication=1)
        yield started


@pytest.fixture()
def sink(kafka: KafkaBroker) -> DeadLetterSink:
    return DeadLetterSink(kafka.bootstrap, READER, lambda: Codec.for_topic(DEAD_LETTERS, 6))


def first_message(kafka: KafkaBroker, topic: str, partitions: int) -> Message:
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": "test", "enable.auto.commit": False}
    )
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        message = consumer.poll(60)
        assert message is not None
        assert message.error() is None, message.error()
        return message
    finally:
        consumer.close()


def test_a_record_of_20_mb_that_was_packed_below_the_topics_limit_survives(
    kafka: KafkaBroker, sink: DeadLetterSink
) -> None:
    # Repeats lie farther apart than lz4 looks back: packed again by another codec it stays large.
    block = random.Random(6).randbytes(500_000)
    value = b"\x01" + block * 40
    producer: Any = Producer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "compression.type": "zstd",
            "message.max.bytes": 30_000_000,
        }
    )
    producer.produce(TOPIC, key=b"k", value=value, partition=0, headers=[("trace", b"\x00\xff")])
    assert producer.flush(60) == 0
    failed = first_message(kafka, TOPIC, 1)
    assert failed.value() == value

    letter = BUILDER.from_record(failed, ERROR, stage="decode", now_ms=1_767_225_600_000)
    sink.write([letter])

    written = first_message(kafka, DEAD_LETTERS, 2)
    decoder = Decoder(DEAD_LETTERS, OneSchema(), Rules(group="dlq-handler"))
    found = decoder.decode(written.value(), None, 1_767_225_600_000)
    assert isinstance(found, DeadLetter)
    assert found == letter
    assert found.value == value
    assert found.headers == (("trace", b"\x00\xff"),)


def test_one_that_the_topic_would_refuse_stops_the_reader_and_says_which(
    sink: DeadLetterSink,
) -> None:
    letter = DeadLetter(
        **{
            **_fields(),
            "value": b"\x01" * largest_dead_letter_bytes(),
        }
    )
    with pytest.raises(MisconfigurationError, match=r"ad-metrics-1m\[1\]@7 .*max_message_bytes"):
        sink.write([letter])


def test_without_brokers_it_is_an_outage() -> None:
    away = DeadLetterSink("127.0.0.1:9", READER, lambda: Codec.for_topic(DEAD_LETTERS, 6))
    with pytest.raises(TransientError, match="dead letters could not be written"):
        away.write([DeadLetter(**_fields())])


def _fields() -> dict[str, Any]:
    return {
        "dead_letter_id": "0123456789abcdef0123456789abcdef",
        "origin_type": "KAFKA",
        "topic": TOPIC,
        "partition": 1,
        "offset": 7,
        "value": b"\x01",
        "consumer_group": "cache-writer",
        "service": "cache-writer",
        "service_version": "0.1.0",
        "stage": "decode",
        "reason": DeadLetterReason.NOT_WIRE_FORMAT,
        "detail": "not ours",
        "first_failed_at": 1_767_225_600_000,
        "failed_at": 1_767_225_600_000,
        "attempts": 1,
    }
