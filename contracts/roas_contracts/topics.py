"""Topics as their subject.yaml says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.subjects import Subject, TopicSettings

TIMEOUT_SECONDS: Final = 30.0

_TIMESTAMP_TYPE: Final = "CreateTime"
"""A record's timestamp is the moment its producer sent it (not its event time)."""


@dataclass(frozen=True, slots=True)
class TopicResult:
    """What was done for a topic."""

    topic: str
    created: bool
    added_partitions: int
    """How many an existing topic got in addition."""
    partitions: int
    replication: int


def topic_config(settings: TopicSettings, replication: int) -> dict[str, str]:
    """Kafka's topic configuration.

    Args:
        settings: from subject.yaml.
        replication: the replication that the topic really gets; min.insync.replicas can't be
            larger, or nothing could be written.
    """
    return {
        "cleanup.policy": settings.cleanup_policy,
        "retention.ms": str(settings.retention_ms),
        "max.message.bytes": str(settings.max_message_bytes),
        "min.insync.replicas": str(min(settings.min_insync_replicas, replication)),
        "message.timestamp.type": _TIMESTAMP_TYPE,
    }


def create_topics(
    admin: AdminClient,
    subjects: Iterable[Subject],
    *,
    max_replication: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[TopicResult]:
    """Create the topics and partitions that are missing. Idempotent, also when two run at once.

    A topic may get more partitions while everything runs: every reader of ours looks for new ones,
    and none relies on where a key goes. Not so a compacted topic, which keeps the newest record of
    a key in each partition that it was ever in.

    Args:
        admin: a Kafka admin client.
        subjects: the contracts.
        max_replication: cap for a small cluster: 1 for one broker. None: as subject.yaml says.
        timeout_seconds: bound of each request.

    Raises:
        TransientError: the brokers don't answer in time.
        MisconfigurationError: a topic exists with more partitions than its contract says, or a
            compacted one with fewer; or the brokers refuse the settings.
    """
    wanted = {subject.name: subject for subject in subjects}
    existing = _partitions(admin, timeout_seconds)
    new = []
    for name, subject in wanted.items():
        if name not in existing:
            replication = _replication(subject.file.topic, max_replication)
            new.append(
                NewTopic(
                    name,
                    num_partitions=subject.file.topic.partitions,
                    replication_factor=replication,
                    config=topic_config(subject.file.topic, replication),
                )
            )
    created = _create(admin, new, timeout_seconds)
    if len(created) != len(new):  # Another one was faster: look at what it made.
        existing = _partitions(admin, timeout_seconds)
    added = {
        name: _missing_partitions(subject, existing[name])
        for name, subject in wanted.items()
        if name in existing
    }
    grown = {name: wanted[name].file.topic.partitions for name, count in added.items() if count}
    _add_partitions(admin, grown, timeout_seconds)
    return [
        TopicResult(
            name,
            name in created,
            added.get(name, 0),
            subject.file.topic.partitions,
            _replication(subject.file.topic, max_replication),
        )
        for name, subject in wanted.items()
    ]


def _missing_partitions(subject: Subject, found: int) -> int:
    wanted = subject.file.topic.partitions
    if found > wanted or (found < wanted and "compact" in subject.file.topic.cleanup_policy):
        raise MisconfigurationError(
            f"the topic {subject.name} has {found} partitions, its contract "
            f"({subject.directory / 'subject.yaml'}: topic.partitions) says {wanted}: change the "
            "contract; Kafka can't take partitions away, and a compacted topic must not get more"
        )
    return wanted - found


def _add_partitions(admin: AdminClient, totals: Mapping[str, int], timeout_seconds: float) -> None:
    if not totals:
        return
    futures = admin.create_partitions(
        [NewPartitions(name, total) for name, total in totals.items()],
        operation_timeout=timeout_seconds,
        request_timeout=timeout_seconds,
    )
    for name, future in futures.items():
        try:
            future.result(timeout=timeout_seconds + 5)
        except (KafkaException, TimeoutError) as error:
            if _partitions(admin, timeout_seconds).get(name, 0) < totals[name]:
                raise TransientError(f"Kafka did not add partitions to {name}: {error}") from error


def _replication(settings: TopicSettings, cap: int | None) -> int:
    return settings.replication_factor if cap is None else min(settings.replication_factor, cap)


def _partitions(admin: AdminClient, timeout_seconds: float) -> Mapping[str, int]:
    """Number of partitions of every topic there is."""
    try:
        metadata = admin.list_topics(timeout=timeout_seconds)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {_reason(error)}") from error
    return {
        name: len(topic.partitions)
        for name, topic in metadata.topics.items()
        if topic.error is None
    }


def _create(admin: AdminClient, new: list[NewTopic], timeout_seconds: float) -> set[str]:
    """Create topics; the names of those that were not there."""
    if not new:
        return set()
    futures = admin.create_topics(
        new, operation_timeout=timeout_seconds, request_timeout=timeout_seconds
    )
    created = set()
    for name, future in futures.items():
        try:
            future.result(timeout=timeout_seconds + 5)
            created.add(name)
        except TimeoutError as error:
            raise TransientError(f"Kafka did not create {name} in time") from error
        except KafkaException as error:
            code = error.args[0].code()
            if code == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            if error.args[0].retriable() or code in (
                KafkaError._TIMED_OUT,
                KafkaError._TRANSPORT,
            ):
                raise TransientError(f"Kafka did not create {name}: {_reason(error)}") from error
            raise MisconfigurationError(
                f"Kafka refuses the topic {name}: {_reason(error)}"
                + (
                    " (a small cluster needs --replication)"
                    if code == KafkaError.INVALID_REPLICATION_FACTOR
                    else ""
                )
            ) from error
    return created


def _reason(error: KafkaException) -> str:
    return str(error.args[0].str()) if error.args else str(error)
