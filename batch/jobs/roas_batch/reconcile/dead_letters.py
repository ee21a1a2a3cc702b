"""Which events of a day ctr-stream has dead-lettered: read from Kafka, only when it may explain."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from roas_batch import SERVICE, STREAM_GROUP
from roas_batch.kafka import LostError
from roas_batch.planning import Log, Span
from roas_batch.reconcile.watching import WatchedKafka
from roas_contracts.decoder import Decoder, Schemas
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.events import DEAD_LETTERS, EVENT_TOPICS, DeadLetter
from roas_contracts.rules import Rules

_TOPICS: Final = frozenset(EVENT_TOPICS)


def dead_positions(
    kafka: WatchedKafka, logs: Sequence[Log], schemas: Schemas, currency: str
) -> set[tuple[str, int, int]]:
    """Topic, partition and offset of every event record with a dead letter of ctr-stream.

    Args:
        kafka: where dead letters are.
        logs: of the topic dead-letters.
        schemas: of their writers.
        currency: the reporting currency.

    Raises:
        TransientError: Kafka does not answer, or deletes what is being read.
    """
    decoder = Decoder(DEAD_LETTERS, schemas, Rules(group=SERVICE, currency=currency))
    try:
        return set(_positions(kafka, logs, decoder))
    except LostError as error:
        raise TransientError("dead letters are being deleted just now: try again") from error


def _positions(
    kafka: WatchedKafka, logs: Sequence[Log], decoder: Decoder
) -> Iterator[tuple[str, int, int]]:
    for log in logs:
        if log.end <= log.start:
            continue
        for messages in kafka.read(log.topic, log.partition, Span(log.start, log.end)):
            for message in messages:
                try:
                    letter = decoder.decode(
                        message.value(), message.headers(), time.time_ns() // 1_000_000
                    )
                except PoisonError:
                    continue
                if isinstance(letter, DeadLetter) and letter.consumer_group == STREAM_GROUP:
                    if letter.topic not in _TOPICS:
                        continue
                    assert letter.partition is not None
                    assert letter.offset is not None
                    yield letter.topic, letter.partition, letter.offset
