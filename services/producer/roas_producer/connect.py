"""What has to be known of Kafka and the registry before the first record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

import structlog
from confluent_kafka import KafkaException, Producer
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subject
from roas_producer.encoding import VERSIONS, WrittenSchema, WrittenSchemas

_CALL_SECONDS: Final = 5.0
_MAX_PAUSE_SECONDS: Final = 5.0
PARTITIONS_SECONDS: Final = 10.0

T = TypeVar("T")
log = structlog.get_logger("roas_producer.connect")


def patiently(timeout_seconds: float, call: Callable[[], T]) -> T:
    """Repeat a call while it fails with :class:`TransientError`, with growing pauses."""
    retrying = Retrying(
        stop=stop_after_delay(timeout_seconds),
        wait=wait_exponential(multiplier=0.2, max=_MAX_PAUSE_SECONDS),
        retry=retry_if_exception_type(TransientError),
        before_sleep=lambda state: log.warning(
            "waiting", reason=str(state.outcome.exception() if state.outcome else "")
        ),
        reraise=True,
    )
    return retrying(call)


def partition_counts(producer: Producer, topics: Iterable[str]) -> Mapping[str, int]:
    """How many partitions each topic has.

    Raises:
        MisconfigurationError: a topic does not exist.
        TransientError: Kafka does not answer.
    """
    try:
        known = producer.list_topics(timeout=_CALL_SECONDS).topics
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
    wanted = list(topics)
    missing = [topic for topic in wanted if topic not in known or known[topic].error is not None]
    if missing:
        raise MisconfigurationError(
            f"the topics {', '.join(missing)} do not exist: create them with "
            "`./roas contracts topics`"
        )
    return {topic: len(known[topic].partitions) for topic in wanted}


class EventPartitions:
    """How many partitions each event topic has, asked again from time to time.

    A topic may get more while a replay runs. Each must get its heartbeats, or it would hold the
    event time up until it is taken for idle; and asking lets the client send there at once.

    Args:
        producer: asks.
        known: what was found when the client took over.
        seconds: an older answer is asked for again; while Kafka is away it stays in use.
    """

    def __init__(
        self, producer: Producer, known: Mapping[str, int], seconds: float = PARTITIONS_SECONDS
    ) -> None:
        self._producer = producer
        self._known = {topic: known[topic] for topic in EVENT_TOPICS}
        self._seconds = seconds
        self._asked = time.monotonic()

    def __call__(self) -> Mapping[str, int]:
        """Partitions by topic.

        Raises:
            MisconfigurationError: a topic has been deleted.
        """
        if time.monotonic() - self._asked >= self._seconds:
            try:
                self._known = dict(partition_counts(self._producer, EVENT_TOPICS))
            except TransientError as error:
                log.warning("partitions not known anew", reason=str(error))
            self._asked = time.monotonic()
        return self._known


def written_schemas(registry: Registry) -> WrittenSchemas:
    """The newest event schemas of the contracts that this producer is built with.

    Raises:
        MisconfigurationError: one is not registered, or the contracts have moved on.
        TransientError: the registry does not answer.
    """

    def written(topic: str) -> WrittenSchema:
        newest = load_subject(topic).latest.number
        if newest not in VERSIONS[topic]:
            known = ", ".join(map(str, VERSIONS[topic]))
            raise MisconfigurationError(
                f"the newest version of {topic} is {newest}, this producer can write {known}"
            )
        return WrittenSchema(newest, registry.schema_id(topic))

    return WrittenSchemas(*map(written, EVENT_TOPICS))
