"""Where the job goes on: the newest complete checkpoint or savepoint on disk.

There is no high-availability service: when the JobManager dies, what it knew about checkpoints is
gone, and only the files are left. A checkpoint is complete when its `_metadata` is there, and only
then are its transactions committed. So the newest one is never behind what readers have seen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from roas_contracts.errors import MisconfigurationError, TransientError

_METADATA: Final = "_metadata"
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A complete checkpoint or savepoint."""

    path: Path
    completed_ns: int
    """When its metadata was written, nanoseconds since 1970."""


def newest_snapshot(checkpoints: Path, savepoints: Path, since_ns: int = 0) -> Snapshot | None:
    """The newest complete snapshot, or None where there is none.

    Savepoints count too: a job that was stopped with one has given up its checkpoints.

    Args:
        checkpoints: folder of the job's checkpoints.
        savepoints: folder of its savepoints.
        since_ns: older ones do not count.
    """
    complete = [
        Snapshot(metadata.parent, metadata.stat().st_mtime_ns)
        for metadata in (
            *checkpoints.glob(f"*/chk-*/{_METADATA}"),
            *savepoints.glob(f"savepoint-*/{_METADATA}"),
        )
    ]
    recent = [snapshot for snapshot in complete if snapshot.completed_ns >= since_ns]
    return max(recent, key=lambda snapshot: snapshot.completed_ns, default=None)


def has_read_before(bootstrap: str, group: str, topics: list[str]) -> bool:
    """Whether a job of this group has completed a checkpoint against this Kafka cluster.

    Every completed checkpoint commits its offsets to Kafka, for people and for this question.

    Raises:
        TransientError: Kafka does not answer.
        MisconfigurationError: a topic does not exist.
    """
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False}
    )
    try:
        partitions: list[TopicPartition] = []
        for topic in topics:
            found = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
            if found.error is not None or not found.partitions:
                raise MisconfigurationError(
                    f"the topic {topic} does not exist at {bootstrap}: run "
                    "`python -m roas_contracts topics` first"
                )
            partitions += [TopicPartition(topic, number) for number in found.partitions]
        return any(p.offset >= 0 for p in consumer.committed(partitions, timeout=_TIMEOUT_S))
    except KafkaException as error:
        raise TransientError(f"no answer from Kafka at {bootstrap}: {error}") from error
    finally:
        consumer.close()
