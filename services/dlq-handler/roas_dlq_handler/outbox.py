"""Kafka transactions: what is sent, and the audit records of it, together or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from roas_contracts.codec import Codec
from roas_contracts.consuming.dead_letter_sink import largest_dead_letter_bytes
from roas_contracts.errors import FencedError, MisconfigurationError, TransientError
from roas_contracts.events import DEAD_LETTER_ACTIONS, DeadLetterActionRecord
from roas_dlq_handler import SERVICE
from roas_dlq_handler.outgoing import Outgoing

TRANSACTION_TIMEOUT_MS: Final = 60_000
_PATIENCE_SECONDS: Final = 30.0
_OPENING_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 10.0
_FENCED: Final = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
)
_TOO_LARGE: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)

_librdkafka_log = logging.getLogger("roas_dlq_handler.librdkafka")

Entry = tuple[Outgoing | None, DeadLetterActionRecord]


class TooLargeError(Exception):
    """Kafka does not take a record of this transaction; nothing of it was committed."""


class Outbox:
    """Sends as the one who may for a topic: opening it ends whoever did before.

    The transactional id is the topic's, so that a tool that was killed, or that lost its lock
    without noticing, can't commit anything after its successor has opened.

    Args:
        bootstrap: Kafka's address.
        topic: whose dead letters this is about.
        codec: of dead-letter-actions.
    """

    def __init__(self, bootstrap: str, topic: str, codec: Codec) -> None:
        self._codec = codec
        self._refused: KafkaError | None = None
        try:
            self._producer = Producer(
                {
                    "bootstrap.servers": bootstrap,
                    "client.id": SERVICE,
                    "transactional.id": f"roas-dlq-{topic}",
                    "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                    "logger": _librdkafka_log,
                    "compression.type": "zstd",
                    "linger.ms": 5,
                    "message.max.bytes": largest_dead_letter_bytes(),
                    "delivery.report.only.error": True,
                    "on_delivery": self._note,
                }
            )
        except KafkaException as error:
            raise MisconfigurationError(
                f"the Kafka settings are not usable (ROAS_DLQ_HANDLER_KAFKA_BOOTSTRAP): {error}"
            ) from error

    def reach(self) -> None:
        """See that Kafka answers, before anybody is kept out by a run that can't begin.

        Raises:
            TransientError: it does not.
        """
        try:
            self._producer.list_topics(timeout=_OPENING_SECONDS)
        except KafkaException as error:
            raise self._translated(error.args[0]) from error

    def open(self) -> None:
        """Take over; when it returns, whatever a predecessor had open is aborted or committed.

        Raises:
            TransientError: Kafka does not answer.
        """
        self._persist(self._producer.init_transactions, _OPENING_SECONDS)

    def send(self, entries: Sequence[Entry]) -> None:
        """Send records with their audit in one transaction; returns when it is committed.

        Raises:
            TransientError: whether it was committed is to be read from the audit in Kafka.
            FencedError: somebody else took over; nothing of this was committed.
            TooLargeError: one of the records is larger than its topic takes.
        """
        self._refused = None
        try:
            self._producer.begin_transaction()
            for record, action in entries:
                if record is not None:
                    self._produce(
                        record.topic,
                        record.value,
                        record.key,
                        partition=record.partition,
                        headers=list(record.headers),
                    )
                key = action.dead_letter_id.encode()
                self._produce(DEAD_LETTER_ACTIONS, self._codec.encode(action), key, partition=0)
        except KafkaException as error:
            self._abort()
            raise self._translated(error.args[0]) from error
        self._persist(self._producer.commit_transaction, _PATIENCE_SECONDS)

    def _produce(self, topic: str, value: bytes | None, key: bytes | None, **rest: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, **rest)
                return
            except BufferError:  # The queue is full: let it drain.
                self._producer.poll(0.1)

    def _persist(self, call: Callable[[float], object], patience: float) -> None:
        """Call until it works, is refused, or patience ends."""
        deadline = time.monotonic() + patience
        while True:
            try:
                call(_CALL_SECONDS)
                return
            except KafkaException as error:
                problem: KafkaError = error.args[0]
                if problem.retriable() and time.monotonic() < deadline:
                    continue
                if call == self._producer.commit_transaction:
                    self._abort()
                raise self._translated(problem) from error

    def _abort(self) -> None:
        with suppress(KafkaException):  # Its successor, or the timeout, does it as well.
            self._producer.abort_transaction(_CALL_SECONDS)

    def _note(self, error: KafkaError | None, _message: object) -> None:
        if error is not None and error.code() in _TOO_LARGE:
            self._refused = error

    def _translated(self, problem: KafkaError) -> Exception:
        refused = self._refused or problem
        if refused.code() in _TOO_LARGE:
            return TooLargeError(refused.str())
        if problem.code() in _FENCED:
            return FencedError(
                "somebody else has taken over this topic's dead letters: this run stops, nothing "
                "is sent twice"
            )
        return TransientError(f"Kafka does not answer: {problem.str()}")
