"""Reads where a run stands, from the compacted topic ``producer-progress``."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from roas_contracts.decoder import Decoder
from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import PRODUCER_PROGRESS, ProducerProgress

_CALL_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.5


def read_progress(
    bootstrap: str, key: str, decoder: Decoder, timeout_seconds: float
) -> ProducerProgress | None:
    """The newest committed progress of an input; None where there is none.

    Call it after the transactional id was taken over: a former producer can't commit any more.

    Raises:
        TransientError: Kafka does not answer, or another producer's open transaction keeps the
            topic's end out of sight for too long.
        MisconfigurationError: this input's progress record is damaged.
    """
    deadline = time.monotonic() + timeout_seconds
    consumer = _consumer(bootstrap, "read_committed")
    try:
        end = _end_offset(bootstrap)
        if end == 0:
            return None
        consumer.assign([TopicPartition(PRODUCER_PROGRESS, 0, 0)])
        return _newest(consumer, key.encode(), decoder, end, deadline)
    except KafkaException as error:
        problem: KafkaError = error.args[0]
        raise TransientError(f"the progress topic cannot be read: {problem.str()}") from error
    finally:
        consumer.close()


def _consumer(bootstrap: str, isolation_level: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "client.id": "roas-producer-progress",
            # What matters comes as errors; the rest would come between our own lines.
            "log_level": 0,
            # Required by the client; offsets are neither read nor committed.
            "group.id": "roas-producer-progress",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": isolation_level,
            "enable.partition.eof": True,
        }
    )


def _end_offset(bootstrap: str) -> int:
    """The end of the topic, open transactions included."""
    consumer = _consumer(bootstrap, "read_uncommitted")
    try:
        ends = consumer.get_watermark_offsets(TopicPartition(PRODUCER_PROGRESS, 0), _CALL_SECONDS)
    finally:
        consumer.close()
    if ends is None:
        raise TransientError(f"Kafka does not say where {PRODUCER_PROGRESS} ends: try again")
    return int(ends[1])


def _newest(
    consumer: Consumer, key: bytes, decoder: Decoder, end: int, deadline: float
) -> ProducerProgress | None:
    newest: ProducerProgress | None = None
    while time.monotonic() < deadline:
        message = consumer.poll(_POLL_SECONDS)
        if message is None:
            continue
        problem = message.error()
        if problem is not None:
            if problem.code() == KafkaError._PARTITION_EOF:
                if (message.offset() or 0) >= end:
                    return newest
            elif problem.fatal() or not problem.retriable():
                raise TransientError(f"the progress topic cannot be read: {problem.str()}")
            continue
        if message.key() == key and message.value() is not None:
            newest = _decoded(decoder, message)
        # Where others write all the time the reader may never be told that it is at the end.
        if (message.offset() or 0) + 1 >= end:
            return newest
    raise TransientError(
        "the end of the progress topic stayed out of sight (another producer's transaction is "
        "open for long, or Kafka is slow): try again"
    )


def _decoded(decoder: Decoder, message: Message) -> ProducerProgress:
    try:
        event = decoder.decode(message.value(), None, time.time_ns() // 1_000_000)
        if isinstance(event, ProducerProgress):
            return event
        problem = f"a {type(event).__name__}"
    except PoisonError as error:
        problem = str(error)
    raise MisconfigurationError(
        f"the progress of this input (offset {message.offset()} of {PRODUCER_PROGRESS}) cannot be "
        f"read ({problem}): where it stands is not known; --again NAME sends all of it anew"
    )
