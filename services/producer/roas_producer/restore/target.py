"""What the topics that are to be filled hold already: nothing, or the beginning of this archive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from roas_contracts import headers as header_names
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_producer.restore.archived import ArchivedRecord, Partition, same

_SECONDS: Final = 15.0
_STALL_SECONDS: Final = 60.0


def retention_ms(bootstrap: str, topic: str) -> int:
    """How long Kafka keeps a topic's records, by their timestamps; -1 for ever.

    Raises:
        TransientError: Kafka does not answer.
    """
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        (answer,) = admin.describe_configs([resource], request_timeout=_SECONDS).values()
        return int(answer.result(_SECONDS)["retention.ms"].value)
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"Kafka does not answer: {error}") from error


def skip_what_is_there(
    bootstrap: str, partition: Partition, records: Iterator[ArchivedRecord]
) -> int:
    """Take as many records from the iterator as the partition holds; how many those were.

    Whoever wrote transactionally before has to be fenced: nothing may be undecided any more.

    Raises:
        MisconfigurationError: the partition holds other records.
        TransientError: Kafka does not answer.
    """
    topic, number = partition
    count = 0
    for message in _committed(bootstrap, partition):
        record = next(records, None)
        sent_at, headers = message.timestamp()[1], header_names.of(message)
        if record is None or not same(record, message.value(), message.key(), sent_at, headers):
            raise MisconfigurationError(
                f"{topic}[{number}] is not empty, and its record at offset {message.offset()} is "
                "not the archive's: restore fills new topics only (stop what writes to them, "
                "delete and create them)"
            )
        count += 1
    return count


def _committed(bootstrap: str, partition: Partition) -> Iterator[Any]:
    """Every committed record of a partition, to the end that it has now."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "roas-restore",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 10,
            "log_level": 0,
        }
    )
    moved_at = time.monotonic()
    try:
        consumer.assign([TopicPartition(*partition, 0)])
        while True:
            for message in consumer.consume(500, 0.2):
                moved_at = time.monotonic()
                problem = message.error()
                if problem is None:
                    yield message
                elif problem.code() == KafkaError._PARTITION_EOF:
                    return
                else:
                    raise KafkaException(problem)
            if time.monotonic() - moved_at > _STALL_SECONDS:
                raise TransientError(f"Kafka sent nothing for {_STALL_SECONDS:.0f} s")
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()
