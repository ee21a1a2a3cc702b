"""Topics as their subject.yaml says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.subjects import Subject, TopicSettings
from roas_contracts.topic_settings import Difference, alter, find_differences, topic_config

TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class TopicResult:
    """What was done for a topic."""

    topic: str
    created: bool
    added_partitions: int
    """How many an existing topic got in addition."""
    partitions: int
    replication: int
    changed: list[Difference] = field(default_factory=list)
    """Settings of an existing topic that are now what its contract says."""


@dataclass(frozen=True, slots=True)
class _Existing:
    partitions: int
    replication: int


def create_topics(
    admin: AdminClient,
    subjects: Iterable[Subject],
    *,
    max_replication: int | None = None,
    may_delete: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[TopicResult]:
    """Create the topics and partitions that are missing, and make the settings of existing topics
    what their contracts say. Idempotent, also when two run at once.

    A topic may get more partitions while everything runs: every reader of ours looks for new ones,
    and none relies on where a key goes. Not so a compacted topic, which keeps the newest record of
    a key in each partition that it was ever in.

    Args:
        admin: a Kafka admin client.
        subjects: the contracts.
        max_replication: cap for a small cluster: 1 for one broker. None: as subject.yaml says.
        may_delete: change also settings by which Kafka deletes records that it keeps now.
        timeout_seconds: bound of each request.

    Raises:
        TransientError: the brokers don't answer in time.
        MisconfigurationError: a topic exists with more partitions than its contract says, or a
            compacted one with fewer; or with settings whose change would delete records; or the
            brokers refuse the settings.
    """
    wanted = {subject.name: subject for subject in subjects}
    existing = _existing(admin, timeout_seconds)
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
        existing = _existing(admin, timeout_seconds)
    known = {name: existing[name] for name in wanted if name in existing and name not in created}
    added = {
        name: _missing_partitions(wanted[name], found.partitions) for name, found in known.items()
    }
    differences = find_differences(
        admin,
        {
            name: topic_config(wanted[name].file.topic, found.replication)
            for name, found in known.items()
        },
        timeout_seconds,
    )
    alter(admin, differences, timeout_seconds, may_delete=may_delete)
    grown = {name: wanted[name].file.topic.partitions for name, count in added.items() if count}
    _add_partitions(admin, grown, timeout_seconds)
    return [
        TopicResult(
            name,
            name in created,
            added.get(name, 0),
            subject.file.topic.partitions,
            (
                known[name].replication
                if name in known
                else _replication(subject.file.topic, max_replication)
            ),
            [each for each in differences if each.topic == name],
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
            now = _existing(admin, timeout_seconds).get(name)
            if now is None or now.partitions < totals[name]:
                raise TransientError(f"Kafka did not add partitions to {name}: {error}") from error


def _replication(settings: TopicSettings, cap: int | None) -> int:
    return settings.replication_factor if cap is None else min(settings.replication_factor, cap)


def _existing(admin: AdminClient, timeout_seconds: float) -> Mapping[str, _Existing]:
    """Every topic there is."""
    try:
        metadata = admin.list_topics(timeout=timeout_seconds)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {_reason(error)}") from error
    return {
        name: _Existing(len(topic.partitions), len(topic.partitions[0].replicas))
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
