"""Whether stored offsets still mean what they meant when they were stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from roas_contracts.errors import FencedError, MisconfigurationError

TopicPartition: TypeAlias = tuple[str, int]
"""A topic and the number of one of its partitions."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, for messages to a person.

    Args:
        service: its name, also its consumer group: cache-writer.
        settings_prefix: of its environment variables: ROAS_CACHE_WRITER_.
    """

    service: str
    settings_prefix: str


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """What makes offsets of a topic mean something."""

    cluster_id: str
    topic_id: str
    partitions: int


@dataclass(frozen=True, slots=True)
class StoredOffset:
    """Up to where a partition is counted, and what it is a partition of."""

    next_offset: int
    cluster_id: str
    topic_id: str
    writer_epoch: int


def check_identity(
    reader: Reader,
    stored: Mapping[TopicPartition, StoredOffset],
    topics: Mapping[str, TopicIdentity],
) -> None:
    """Offsets are numbers of one log: that of one topic of one cluster.

    Raises:
        MisconfigurationError: the log is another one; says what to do.
    """
    for (topic, partition), offset in stored.items():
        found = topics.get(topic)
        if found is None:
            continue
        if found.cluster_id != offset.cluster_id:
            raise MisconfigurationError(
                f"this is Kafka cluster {found.cluster_id}, but PostgreSQL has counted {topic} "
                f"of cluster {offset.cluster_id}: set {reader.settings_prefix}KAFKA_BOOTSTRAP and "
                f"{reader.settings_prefix}POSTGRES_DSN to a pair that belongs together, or, to "
                "keep the counts and read the new topic from its beginning, run "
                f"`rebind {topic}`"
            )
        if found.topic_id != offset.topic_id:
            raise MisconfigurationError(
                f"the topic {topic} was deleted and created again (id {found.topic_id}, counted "
                f"was {offset.topic_id}): its old offsets mean nothing in the new one; if that "
                "was on purpose, keep the counts and read the new topic from its beginning with "
                f"`rebind {topic}`"
            )
        if partition >= found.partitions:
            raise MisconfigurationError(
                f"PostgreSQL has counted partition {partition} of {topic}, which has only "
                f"{found.partitions}"
            )


def check_epoch(reader: Reader, stored: Mapping[TopicPartition, StoredOffset], epoch: int) -> None:
    """The partitions must still be this writer's.

    Raises:
        FencedError: another writer has claimed them since.
    """
    for (topic, partition), offset in stored.items():
        if offset.writer_epoch != epoch:
            raise FencedError(
                f"another {reader.service} has taken over {topic}[{partition}]: this one stops, "
                "so that nothing is counted twice"
            )


def start_offset(
    reader: Reader,
    partition: TopicPartition,
    next_offset: int,
    bounds: tuple[int, int],
    accept_lost: bool,
) -> int:
    """Where to read on.

    Args:
        reader: who reads.
        partition: which one.
        next_offset: first offset that is not counted.
        bounds: first offset in the log, and the one behind its last.
        accept_lost: go on where records are gone.

    Raises:
        MisconfigurationError: records were deleted before they were counted, or the log ends
            before what was counted.
    """
    topic, number = partition
    first, end = bounds
    if next_offset > end:
        raise MisconfigurationError(
            f"{topic}[{number}] ends at {end}, but PostgreSQL has counted up to {next_offset}: "
            "Kafka has lost records (restored from a copy?); to keep the counts and read the "
            f"topic from its beginning, run `rebind {topic}`"
        )
    if next_offset < first:
        if not accept_lost:
            raise MisconfigurationError(
                f"{first - next_offset} records of {topic}[{number}] ({next_offset} to "
                f"{first - 1}) were deleted before they were counted: "
                f"{reader.settings_prefix}ACCEPT_LOST_RECORDS=true goes on without them"
            )
        return first
    return next_offset
