"""What a topic's settings in Kafka are, beside what its subject.yaml says; and making them so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

# The package offers these names, but not to a type checker.
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.subjects import TopicSettings

_TIMESTAMP_TYPE: Final = "CreateTime"
"""A record's timestamp is the moment its producer sent it (not its event time)."""
_FOREVER: Final = -1


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of an existing topic that is not what the contract says."""

    topic: str
    name: str
    found: str
    wanted: str

    @property
    def deletes(self) -> bool:
        """Whether Kafka would delete records that it keeps now."""
        if self.name == "cleanup.policy":
            return True
        if self.name != "retention.ms":
            return False
        found, wanted = int(self.found), int(self.wanted)
        return wanted != _FOREVER and (found == _FOREVER or wanted < found)

    def __str__(self) -> str:
        return f"{self.name} {self.found} → {self.wanted}"


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


def find_differences(
    admin: AdminClient, wanted: Mapping[str, Mapping[str, str]], timeout_seconds: float
) -> list[Difference]:
    """Compare existing topics with what they should be.

    Args:
        admin: a Kafka admin client.
        wanted: the configuration of each topic.
        timeout_seconds: bound of the request.

    Raises:
        TransientError: Kafka does not answer in time.
    """
    if not wanted:
        return []
    asked = admin.describe_configs(
        [ConfigResource(ResourceType.TOPIC, name) for name in wanted],
        request_timeout=timeout_seconds,
    )
    differences = []
    for resource, future in asked.items():
        try:
            found = future.result(timeout=timeout_seconds + 5)
        except (KafkaException, TimeoutError) as error:
            raise TransientError(
                f"Kafka does not say how {resource.name} is configured: {error}"
            ) from error
        for name, value in wanted[resource.name].items():
            if _sorted(found[name].value) != _sorted(value):
                differences.append(Difference(resource.name, name, found[name].value, value))
    return differences


def alter(
    admin: AdminClient,
    differences: Iterable[Difference],
    timeout_seconds: float,
    *,
    may_delete: bool,
) -> None:
    """Make existing topics what their contracts say; what the contracts do not name stays.

    Args:
        admin: a Kafka admin client.
        differences: what to change.
        timeout_seconds: bound of the request.
        may_delete: also where Kafka then deletes records that it keeps now.

    Raises:
        MisconfigurationError: records would be deleted and nobody said that they may be (nothing
            was changed then), or the brokers refuse.
        TransientError: Kafka does not answer in time.
    """
    by_topic: dict[str, list[Difference]] = {}
    for each in differences:
        by_topic.setdefault(each.topic, []).append(each)
    deleting = [each for every in by_topic.values() for each in every if each.deletes]
    if deleting and not may_delete:
        first = deleting[0]
        raise MisconfigurationError(
            f"the topic {first.topic} has {first.name}={first.found} in Kafka, its contract says "
            f"{first.wanted}: Kafka would delete records that it keeps now; change the contract, "
            "or say --may-delete"
        )
    if not by_topic:
        return
    futures = admin.incremental_alter_configs(
        [
            ConfigResource(
                ResourceType.TOPIC,
                topic,
                incremental_configs=[
                    ConfigEntry(each.name, each.wanted, incremental_operation=AlterConfigOpType.SET)
                    for each in every
                ],
            )
            for topic, every in by_topic.items()
        ],
        request_timeout=timeout_seconds,
    )
    for resource, future in futures.items():
        changes = ", ".join(map(str, by_topic[resource.name]))
        try:
            future.result(timeout=timeout_seconds + 5)
        except TimeoutError as error:
            raise TransientError(f"Kafka did not change {resource.name} in time") from error
        except KafkaException as error:
            problem = error.args[0]
            kind = TransientError if problem.retriable() else MisconfigurationError
            raise kind(
                f"Kafka does not change {resource.name} ({changes}): {problem.str()}"
            ) from error


def _sorted(value: str) -> list[str]:
    """A list of policies means the same in any order."""
    return sorted(value.split(","))
