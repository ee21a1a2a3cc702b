"""The real broker: start, use, kill -9, start again."""

import time
from pathlib import Path

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from roas_local.components import KafkaBroker

TOPIC = "survives"


def produce(bootstrap: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for value in values:
        producer.produce(TOPIC, value)
    assert producer.flush(30) == 0


def consume(bootstrap: str, count: int) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    values: list[bytes] = []
    try:
        consumer.subscribe([TOPIC])
        deadline = time.monotonic() + 30
        while len(values) < count and time.monotonic() < deadline:
            for message in consumer.consume(count, timeout=1.0):
                assert message.error() is None
                value = message.value()
                assert value is not None
                values.append(value)
    finally:
        consumer.close()
    return values


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    first, second = [b"before"] * 100, [b"after"] * 100
    with KafkaBroker(tmp_path) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)
        produce(kafka.bootstrap, first)
        before = kafka.pid
        kafka.kill()
        assert kafka.pid is None
        kafka.start()
        assert kafka.pid not in (None, before)
        produce(kafka.bootstrap, second)
        assert consume(kafka.bootstrap, 200) == first + second


def test_a_topic_is_not_created_by_accident(tmp_path: Path) -> None:
    with KafkaBroker(tmp_path) as kafka:
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 3_000})
        errors: list[object] = []
        producer.produce("misspelt", b"x", on_delivery=lambda error, _: errors.append(error))
        producer.flush(15)
        assert len(errors) == 1
        assert errors[0] is not None
        names = AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10).topics
        assert "misspelt" not in names
