"""Kafka: what the event topics hold, and offset ranges of them, read committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from roas_batch import SERVICE
from roas_batch.planning import Log, Span
from roas_contracts.errors import MisconfigurationError, RoasError, TransientError

# Public, but not exported in a type checker's sense, and its methods are not typed.
OFFSET_SPEC: Any = vars(kafka_admin)["OffsetSpec"]

_TIMEOUT: Final = 10.0
_STALL_SECONDS: Final = 60.0
# Records may have a megabyte each: few are held at once.
_BATCH: Final = 500
_BATCH_SECONDS: Final = 0.1
_GONE: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)

_librdkafka_log = logging.getLogger("roas_batch.librdkafka")


class LostError(RoasError):
    """Records were deleted before they were archived. `plan` says which."""


class Kafka:
    """Reads partitions by hand: which offsets are whose, the catalog knows. Commits nothing.

    Args:
        bootstrap: Kafka's address.

    Every method raises TransientError when Kafka does not answer within bounded time.
    """

    def __init__(self, bootstrap: str) -> None:
        connection: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": f"roas-{SERVICE}",
            "logger": _librdkafka_log,
        }
        try:
            self._admin = AdminClient(connection)
            self._consumer = Consumer(
                {
                    **connection,
                    "group.id": f"roas-{SERVICE}",
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "error",
                    "enable.partition.eof": True,
                    # The default of a second caps a fast reader.
                    "fetch.queue.backoff.ms": 10,
                    "queued.max.messages.kbytes": 16_384,
                }
            )
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable (ROAS_BATCH_KAFKA_BOOTSTRAP): {error}"
            ) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def logs(self, topics: Iterable[str]) -> list[Log]:
        """Every partition of the topics as it stands now.

        Raises:
            MisconfigurationError: a topic does not exist.
        """
        try:
            cluster = self._admin.describe_cluster(request_timeout=_TIMEOUT).result(_TIMEOUT)
            futures = self._admin.describe_topics(
                TopicCollection(list(topics)), request_timeout=_TIMEOUT
            )
            described = {topic: future.result(_TIMEOUT) for topic, future in futures.items()}
            partitions = [
                TopicPartition(topic, each.id)
                for topic, description in described.items()
                for each in description.partitions
            ]
            starts = self._offsets(partitions, OFFSET_SPEC.earliest())
            # Read committed: the last stable offset.
            ends = self._offsets(partitions, OFFSET_SPEC.latest())
        except (KafkaException, TimeoutError) as error:
            raise translated_error(error) from error
        return [
            Log(
                at.topic,
                spelled(str(described[at.topic].topic_id)),
                str(cluster.cluster_id),
                at.partition,
                starts[at.topic, at.partition],
                ends[at.topic, at.partition],
            )
            for at in partitions
        ]

    def read(self, topic: str, partition: int, span: Span) -> Iterator[list[Any]]:
        """The committed records with offsets in a span, as batches of confluent-kafka's messages.

        It ends when the span was read to its end; transaction marks and aborted records are passed
        over.

        Raises:
            LostError: the beginning of the span was deleted.
        """
        self._consumer.assign([TopicPartition(topic, partition, span.from_offset)])
        moved_at = time.monotonic()
        try:
            while True:
                messages = self._consumer.consume(_BATCH, _BATCH_SECONDS)
                if messages:
                    moved_at = time.monotonic()
                elif time.monotonic() - moved_at > _STALL_SECONDS:
                    raise TransientError(
                        f"Kafka sent nothing of {topic}[{partition}] for {_STALL_SECONDS:.0f} s"
                    )
                wanted, ended = _within(messages, span.to_offset)
                if wanted:
                    yield wanted
                if ended:
                    return
        except KafkaException as error:
            raise translated_error(error) from error
        finally:
            self._consumer.unassign()

    def _offsets(self, partitions: list[TopicPartition], spec: Any) -> dict[tuple[str, int], int]:
        asked = self._admin.list_offsets(
            {TopicPartition(at.topic, at.partition): spec for at in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_TIMEOUT,
        )
        return {
            (at.topic, at.partition): int(answer.result(_TIMEOUT).offset)
            for at, answer in asked.items()
        }


def spelled(topic_id: str) -> str:
    """A topic's id as Kafka's own tools spell it: fit for the name of a folder.

    The client uses the alphabet of base64 that has a slash.
    """
    return topic_id.replace("/", "_").replace("+", "-")


def _within(messages: list[Any], end: int) -> tuple[list[Any], bool]:
    """The records before `end`, and whether it was reached."""
    wanted: list[Any] = []
    for message in messages:
        problem = message.error()
        if problem is not None and problem.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(problem)
        if problem is not None or message.offset() >= end:
            # The end of what can be read: `end` was a last stable offset, so nothing is missing.
            if message.offset() >= end:
                return wanted, True
            continue
        wanted.append(message)
        if message.offset() == end - 1:
            return wanted, True
    return wanted, False


def translated_error(error: Exception) -> RoasError:
    """What a failure of Kafka means to us."""
    reason = error.args[0] if error.args else None
    if isinstance(error, KafkaException) and isinstance(reason, KafkaError):
        if reason.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
            return MisconfigurationError(
                f"an event topic does not exist ({reason.str()}): create the topics with "
                "`python -m roas_contracts topics`"
            )
        if reason.code() in _GONE:
            return LostError(
                f"Kafka no longer has the beginning of the range ({reason.str()}): "
                "`plan` says what is lost"
            )
        return TransientError(f"Kafka does not answer: {reason.str()}")
    return TransientError(f"Kafka does not answer: {str(error) or type(error).__name__}")
