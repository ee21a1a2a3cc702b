"""Kafka, for who compares: how far consumers have come, and where a time lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from roas_batch.kafka import OFFSET_SPEC, Kafka, translated_error
from roas_batch.planning import Log

Position = tuple[str, int]
"""Topic and partition."""

_ANSWER_SECONDS: Final = 15.0


class WatchedKafka(Kafka):
    """As `Kafka`; every method raises TransientError when Kafka does not answer."""

    def passed(self, group: str, positions: Iterable[Position]) -> dict[Position, int]:
        """First offset that a group has not committed; partitions without one are left out."""
        wanted = [TopicPartition(*at) for at in positions]
        request: Any = ConsumerGroupTopicPartitions(group, wanted)
        try:
            answers = self._admin.list_consumer_group_offsets(
                [request], request_timeout=_ANSWER_SECONDS
            )
            found = answers[group].result(_ANSWER_SECONDS).topic_partitions
        except (KafkaException, TimeoutError) as error:
            raise translated_error(error) from error
        return {
            (at.topic, at.partition): at.offset for at in found if not at.error and at.offset >= 0
        }

    def offsets_at(self, logs: Sequence[Log], timestamp_ms: int) -> Mapping[Position, int]:
        """First offset with a timestamp from then on, by partition; its end where there is none."""
        partitions = [TopicPartition(log.topic, log.partition) for log in logs]
        try:
            found = self._offsets(partitions, OFFSET_SPEC.for_timestamp(timestamp_ms))
        except (KafkaException, TimeoutError) as error:
            raise translated_error(error) from error
        ends = {(log.topic, log.partition): log.end for log in logs}
        return {at: ends[at] if offset < 0 else offset for at, offset in found.items()}
