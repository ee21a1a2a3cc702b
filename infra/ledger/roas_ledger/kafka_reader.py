"""Reading topics as they stand: every committed record up to an end that is fixed beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from roas_contracts.errors import TransientError
from roas_ledger.record import Partition, Record

# Public, but not exported in a type checker's sense, and its methods are not typed.
_OFFSET_SPEC: Any = vars(kafka_admin)["OffsetSpec"]

_BATCH = 5_000
# A batch that does not fill up takes this long: at the end of every topic.
_BATCH_SECONDS = 0.1
_ANSWER_SECONDS = 15.0
_STALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Extent:
    """What a partition holds: offsets in [start, committed_end) can be read.

    Records in [committed_end, high) belong to transactions that are still open.
    """

    start: int
    committed_end: int
    high: int


class KafkaReader:
    """A read-committed reader over assigned partitions. It belongs to no group, commits nothing.

    Args:
        bootstrap: Kafka's address, host:port.
        progress: called with the number of offsets passed since the last call.

    Every method raises TransientError when Kafka does not answer within bounded time.
    """

    def __init__(self, bootstrap: str, progress: Callable[[int], None] = lambda count: None):
        self._bootstrap = bootstrap
        self._progress = progress
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "roas-ledger",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                # With librdkafka's default of a second a fast reader waits most of its time.
                "fetch.queue.backoff.ms": 10,
                "queued.max.messages.kbytes": 32_768,
                "log_level": 0,
            }
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def partitions(self, topics: list[str]) -> list[Partition]:
        """All partitions of the topics; a topic that does not exist is a TransientError."""
        found: list[Partition] = []
        try:
            known = self._admin.list_topics(timeout=_ANSWER_SECONDS).topics
        except KafkaException as error:
            raise self._unavailable(error) from error
        for topic in topics:
            if topic not in known:
                raise TransientError(
                    f"Kafka at {self._bootstrap} has no topic {topic}; is this the right cluster,"
                    " and has the stack been started?"
                )
            found.extend((topic, partition) for partition in sorted(known[topic].partitions))
        return found

    def cluster_id(self) -> str | None:
        """Kafka's own id of the cluster, None where the broker does not tell."""
        try:
            return self._admin.list_topics(timeout=_ANSWER_SECONDS).cluster_id
        except KafkaException as error:
            raise self._unavailable(error) from error

    def extents(self, partitions: list[Partition]) -> dict[Partition, Extent]:
        """Log start, end of what is committed, and high watermark of each partition."""
        starts = self._offsets(partitions, _OFFSET_SPEC.earliest(), IsolationLevel.READ_UNCOMMITTED)
        ends = self._offsets(partitions, _OFFSET_SPEC.latest(), IsolationLevel.READ_COMMITTED)
        highs = self._offsets(partitions, _OFFSET_SPEC.latest(), IsolationLevel.READ_UNCOMMITTED)
        return {
            partition: Extent(starts[partition], ends[partition], highs[partition])
            for partition in partitions
        }

    def read(self, spans: Mapping[Partition, tuple[int, int]]) -> Iterator[list[Record]]:
        """Batches of the committed records with offsets in [first, end) of each partition.

        It ends when every partition was read to its end; gaps (transaction markers, aborted
        records) are passed over.
        """
        behind = {at: span[1] for at, span in spans.items() if span[0] < span[1]}
        if not behind:
            return
        position = {at: spans[at][0] for at in behind}
        self._consumer.assign([TopicPartition(*at, position[at]) for at in behind])
        moved_at = time.monotonic()
        try:
            while behind:
                batch = self._consumer.consume(_BATCH, timeout=_BATCH_SECONDS)
                wanted = self._sort(batch, behind, position)
                if batch:
                    moved_at = time.monotonic()
                elif time.monotonic() - moved_at > _STALL_SECONDS:
                    late = ", ".join(f"{topic}/{number}" for topic, number in sorted(behind))
                    raise TransientError(
                        f"Kafka at {self._bootstrap} sent nothing for {_STALL_SECONDS:.0f} s;"
                        f" still to read: {late}"
                    )
                if wanted:
                    yield wanted
        except KafkaException as error:
            raise self._unavailable(error) from error
        finally:
            self._consumer.unassign()

    def group_positions(self, group: str, partitions: list[Partition]) -> dict[Partition, int]:
        """Offsets that a consumer group has committed; partitions without one are left out."""
        reader = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        try:
            answer = reader.committed(
                [TopicPartition(*at) for at in partitions], timeout=_ANSWER_SECONDS
            )
        except KafkaException as error:
            raise self._unavailable(error) from error
        finally:
            reader.close()
        return {(at.topic, at.partition): at.offset for at in answer if at.offset >= 0}

    def _sort(
        self,
        batch: list[Any],
        behind: dict[Partition, int],
        position: dict[Partition, int],
    ) -> list[Record]:
        """Take out what was asked for, and strike partitions off `behind` as they end."""
        wanted: list[Record] = []
        passed = 0
        for message in batch:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            record = _record(message)
            at, offset = record.partition, record.offset
            end = behind.get(at)
            if end is None:
                continue
            if error is None and offset < end:
                wanted.append(record)
                offset += 1
            reached = min(offset, end)
            passed += max(0, reached - position[at])
            position[at] = max(position[at], reached)
            if offset >= end:
                del behind[at]
        self._progress(passed)
        return wanted

    def _offsets(
        self, partitions: list[Partition], spec: Any, isolation: IsolationLevel
    ) -> dict[Partition, int]:
        asked = self._admin.list_offsets(
            {TopicPartition(*at): spec for at in partitions},
            isolation_level=isolation,
            request_timeout=_ANSWER_SECONDS,
        )
        try:
            return {
                (at.topic, at.partition): int(answer.result(timeout=_ANSWER_SECONDS).offset)
                for at, answer in asked.items()
            }
        except (KafkaException, TimeoutError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> TransientError:
        reason = error.args[0] if error.args else error
        told = reason.str() if isinstance(reason, KafkaError) else str(reason)
        return TransientError(f"Kafka at {self._bootstrap} does not answer: {told}")


_TIMESTAMP_NAMES = {
    TIMESTAMP_CREATE_TIME: "CREATE_TIME",
    TIMESTAMP_LOG_APPEND_TIME: "LOG_APPEND_TIME",
}


def _record(message: Any) -> Record:
    """Our own view of the client's message, whose type promises less than it keeps."""
    kind, timestamp = message.timestamp()
    return Record(
        (message.topic(), message.partition()),
        message.offset(),
        message.key(),
        message.value(),
        message.headers(),
        timestamp,
        _TIMESTAMP_NAMES.get(kind),
    )
