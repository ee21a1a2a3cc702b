"""What a job has written to Kafka, added up: two jobs are only compared if this is equal."""

import io
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from confluent_kafka import Consumer, KafkaError, TopicPartition
from fastavro import parse_schema, schemaless_reader

from roas_contracts import wire
from roas_contracts.errors import TransientError
from roas_contracts.registry import SchemaSource

Window: TypeAlias = tuple[str, int, str, str]
"""Size of the window, its start in epoch milliseconds, dimension and value."""

MEASURES: Final = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
_LONGEST_READ_SECONDS: Final = 600.0


def ends(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Where each partition of the topics ends now."""
    consumer = _consumer(bootstrap)
    try:
        return {
            (topic, number): consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=10
            )[1]
            for topic in topics
            for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions
        }
    finally:
        consumer.close()


def read_sums(
    bootstrap: str,
    schemas: SchemaSource,
    sizes: Mapping[str, str],
    since: Mapping[tuple[str, int], int],
) -> dict[Window, list[int]]:
    """Sums of the deltas that were committed to topics after some offsets.

    Args:
        bootstrap: Kafka's address.
        schemas: has the writers' schemas.
        sizes: the size of the windows of each topic.
        since: the first offset to read of each partition.

    Raises:
        TransientError: the topics could not be read to their ends in time.
    """
    sums: dict[Window, list[int]] = {}
    parsed: dict[int, Any] = {}
    for topic, value in values(bootstrap, since):
        schema_id, body = wire.unpack(value)
        if schema_id not in parsed:
            parsed[schema_id] = _integers_only(schemas.schema(schema_id))
        delta: Any = schemaless_reader(io.BytesIO(body), parsed[schema_id], None)
        window = (sizes[topic], delta["window_start"], delta["dimension"], delta["value"])
        total = sums.setdefault(window, [0] * len(MEASURES))
        for position, measure in enumerate(MEASURES):
            total[position] += delta[measure]
    return sums


def values(bootstrap: str, since: Mapping[tuple[str, int], int]) -> Iterator[tuple[str, bytes]]:
    """Topic and value of each record committed after some offsets, up to the ends.

    Raises:
        TransientError: the topics could not be read to their ends in time.
    """
    consumer = _consumer(bootstrap)
    try:
        consumer.assign([TopicPartition(*partition, at) for partition, at in since.items()])
        unread = set(since)
        deadline = time.monotonic() + _LONGEST_READ_SECONDS
        while unread:
            if time.monotonic() > deadline:
                raise TransientError("the metrics topics could not be read to their ends")
            for message in consumer.consume(10_000, timeout=0.5):
                topic = str(message.topic())
                error, value = message.error(), message.value()
                if error is None:
                    assert value is not None
                    yield topic, value
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((topic, int(message.partition() or 0)))
                else:
                    raise TransientError(f"Kafka does not answer: {error.str()}")
    finally:
        consumer.close()


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 10,
        }
    )


def _integers_only(text: str) -> Any:
    """The schema with times as plain integers."""

    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: strip(value) for name, value in node.items() if name != "logicalType"}
        if isinstance(node, list):
            return [strip(item) for item in node]
        return node

    return parse_schema(strip(json.loads(text)))
