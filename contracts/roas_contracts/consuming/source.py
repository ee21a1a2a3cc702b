"""Kafka: some topics, read committed, from positions that the reader's own store knows.

Partitions are assigned by hand: which records are counted is the store's business, and a reader
that starts after a kill -9 need not wait for a group to notice. The group's offsets in Kafka are
a copy for lag monitors; nothing reads them back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from roas_contracts.consuming import positions
from roas_contracts.consuming.positions import Reader, TopicIdentity
from roas_contracts.dead_letters import ConsumedRecord
from roas_contracts.errors import MisconfigurationError, TransientError

_TIMEOUT: Final = 10.0
_GONE: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_UNKNOWN: Final = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)

_librdkafka_log = logging.getLogger("roas_contracts.consuming.librdkafka")
_log = structlog.get_logger("roas_contracts.consuming.source")


@dataclass(slots=True)
class Poll:
    """What one poll gave: records in order, and the ends that partitions were read to.

    An end is the position behind everything readable, transaction markers included, so that a
    fully read partition has a lag of zero.
    """

    records: list[ConsumedRecord] = field(default_factory=list)
    ends: dict[positions.TopicPartition, int] = field(default_factory=dict)


class CommittedSource:
    """A consumer of some topics. Not thread-safe.

    Args:
        bootstrap: Kafka's address.
        reader: who reads.
        topics: what is read.

    Raises:
        MisconfigurationError: librdkafka refuses the settings.
    """

    def __init__(self, bootstrap: str, reader: Reader, topics: Iterable[str]) -> None:
        self._reader = reader
        self._topics = sorted(topics)
        self._assigned: list[positions.TopicPartition] = []
        connection: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": reader.service,
            "error_cb": _log_error,
            "logger": _librdkafka_log,
        }
        try:
            self._consumer = Consumer(
                {
                    **connection,
                    "group.id": reader.service,
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    # A position that the log does not have is a loss, not a reason to skip.
                    "auto.offset.reset": "error",
                    "enable.partition.eof": True,
                    # The default of a second caps a fast reader.
                    "fetch.queue.backoff.ms": 10,
                    "queued.max.messages.kbytes": 16_384,
                    "on_commit": _log_failed_copy,
                }
            )
            self._admin = AdminClient(connection)
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable ({reader.settings_prefix}KAFKA_BOOTSTRAP): "
                f"{error}"
            ) from error

    def identities(self) -> dict[str, TopicIdentity]:
        """Every topic's identity.

        Raises:
            TransientError: Kafka does not answer.
            MisconfigurationError: a topic does not exist.
        """
        try:
            cluster = self._admin.describe_cluster(request_timeout=_TIMEOUT).result(_TIMEOUT)
            futures = self._admin.describe_topics(
                TopicCollection(self._topics), request_timeout=_TIMEOUT
            )
            found = {topic: future.result(_TIMEOUT) for topic, future in futures.items()}
        except (KafkaException, TimeoutError) as error:
            raise self._translated(error) from error
        return {
            topic: TopicIdentity(
                str(cluster.cluster_id), str(description.topic_id), len(description.partitions)
            )
            for topic, description in found.items()
        }

    def bounds(self, partition: positions.TopicPartition) -> tuple[int, int]:
        """First offset that is still there, and the one behind the last.

        Raises:
            TransientError: Kafka does not answer.
        """
        try:
            # By itself the client learns of added partitions once in five minutes, and until then
            # it neither knows their bounds nor reads them.
            self._consumer.list_topics(partition[0], timeout=_TIMEOUT)
            found: Any = self._consumer.get_watermark_offsets(
                TopicPartition(*partition), timeout=_TIMEOUT
            )
        except KafkaException as error:
            raise self._translated(error) from error
        if found is None:
            raise TransientError("Kafka does not say where a partition begins and ends")
        return int(found[0]), int(found[1])

    def assign(self, positions: Mapping[positions.TopicPartition, int]) -> None:
        """Read these partitions from these offsets on; whatever was fetched before is dropped."""
        self._consumer.assign(
            [TopicPartition(*partition, offset) for partition, offset in positions.items()]
        )
        self._assigned = list(positions)

    def poll(self, most: int, wait_seconds: float, linger_seconds: float) -> Poll:
        """Wait for a record, then a little longer for more.

        Args:
            most: most records and ends.
            wait_seconds: how long to wait for the first.
            linger_seconds: how long to wait for the rest.

        Raises:
            TransientError: a partition can't be read now.
            MisconfigurationError: a position is not in the log any more, or a topic is gone.
        """
        result = Poll()
        try:
            messages = self._consumer.consume(1, wait_seconds)
            if messages and most > 1:
                messages += self._consumer.consume(most - 1, linger_seconds)
        except KafkaException as error:
            raise self._translated(error) from error
        for message in messages:
            problem = message.error()
            if problem is None:
                result.records.append(cast(ConsumedRecord, message))
            elif problem.code() == KafkaError._PARTITION_EOF:
                key = (str(message.topic()), int(message.partition() or 0))
                result.ends[key] = int(message.offset() or 0)
            else:
                raise self._translated(KafkaException(problem))
        return result

    def copy_offsets(self, positions: Mapping[positions.TopicPartition, int]) -> None:
        """Tell Kafka, for those who monitor lag there. Never waits; failure is logged only."""
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*key, offset) for key, offset in positions.items()],
                asynchronous=True,
            )
        except KafkaException as error:
            _log.debug("offsets were not copied to Kafka", reason=str(error))

    def ends(self) -> dict[positions.TopicPartition, int]:
        """The last known end of each assigned partition; asks nobody."""
        result: dict[positions.TopicPartition, int] = {}
        for key in self._assigned:
            found: Any = self._consumer.get_watermark_offsets(TopicPartition(*key), cached=True)
            if found is not None and found[1] >= 0:
                result[key] = int(found[1])
        return result

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _translated(self, error: Exception) -> TransientError | MisconfigurationError:
        reason = error.args[0] if isinstance(error, KafkaException) else None
        if isinstance(reason, KafkaError):
            if reason.code() in _UNKNOWN:
                return MisconfigurationError(
                    f"a topic of {self._reader.service} does not exist ({reason.str()}): create "
                    "the topics with `python -m roas_contracts topics`"
                )
            if reason.code() in _GONE:
                return MisconfigurationError(
                    "Kafka no longer has the records that are next to be counted "
                    f"({reason.str()}): start again to be told which; "
                    f"{self._reader.settings_prefix}ACCEPT_LOST_RECORDS=true goes on without them"
                )
            return TransientError(f"Kafka does not answer: {reason.str()}")
        return TransientError(f"Kafka does not answer: {str(error) or type(error).__name__}")


def _log_error(error: KafkaError) -> None:
    _log.warning("kafka", reason=error.str(), code=error.name())


def _log_failed_copy(error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
    if error is not None:
        _log.debug("offsets were not copied to Kafka", reason=error.str())
