"""Kafka transactions that survive what can be survived.

librdkafka retries by itself while it can. What it hands back falls into three classes:

- retriable (a time-out of the call): the same call again;
- abortable (a message could not be delivered in time): abort, and send the same records again in
  a new transaction, which is why they are kept until the commit;
- fatal: this client is finished. Where another producer took over it is :class:`FencedError`;
  where Kafka gave the transaction up because it had been open for too long (an outage, a suspended
  process) it is :class:`TransactionExpiredError`: nothing of it was committed.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeAlias

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from roas_contracts.errors import FencedError, TransientError
from roas_producer.feed import Record
from roas_producer.heartbeats import HeartbeatRecord
from roas_producer.restore.archived import ArchivedRecord

Sendable: TypeAlias = Record | HeartbeatRecord | ArchivedRecord

QUEUE_RECORDS: Final = 200_000
"""How many records wait in the client at most."""

_CALL_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.2
_ABANDON_SECONDS: Final = 5.0
_ERROR: Final = "_error"
"""Where the client says, in a message of a batch, why it did not take it."""
_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.INVALID_TXN_STATE,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)

log = structlog.get_logger("roas_producer.transactions")


class TransactionExpiredError(TransientError):
    """Kafka gave the transaction up: nothing of it was committed, a new producer may go on."""


def producer_config(
    bootstrap: str, transactional_id: str, transaction_timeout_ms: int
) -> dict[str, Any]:
    """Configuration of the transactional client."""
    return {
        "bootstrap.servers": bootstrap,
        "client.id": "roas-producer",
        "transactional.id": transactional_id,
        "transaction.timeout.ms": transaction_timeout_ms,
        "enable.idempotence": True,
        "acks": "all",
        # Java clients hash keys in the same way, so a key's partition is the same everywhere.
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 20,
        "batch.size": 262_144,
        "queue.buffering.max.messages": QUEUE_RECORDS,
        "queue.buffering.max.kbytes": 131_072,
        # Deliveries are judged by the commit; a report for each record would cost more than it.
        "delivery.report.only.error": True,
        "logger": _quiet,
    }


class TransactionalSender:
    """One transaction at a time. Not thread-safe.

    Args:
        producer: a client made with :func:`producer_config`, not yet initialised.
        transaction_timeout_ms: as given to the client.
        outage_timeout_seconds: how long Kafka may be away before this gives up.
        give_up: asked while waiting; True ends the wait.
        queue_records: how many records the client's queue holds.
    """

    def __init__(
        self,
        producer: Producer,
        transaction_timeout_ms: int,
        outage_timeout_seconds: float,
        give_up: Callable[[], bool] = lambda: False,
        queue_records: int = QUEUE_RECORDS,
    ) -> None:
        self._producer = producer
        self._transaction_timeout = transaction_timeout_ms / 1000
        self._outage_timeout = outage_timeout_seconds
        self._give_up = give_up
        self._queue_records = queue_records
        self._batch: list[Sendable] = []
        self._broken = False
        self._began = time.monotonic()
        self._open = False

    def take_over(self, timeout_seconds: float) -> None:
        """Become the one producer of this transactional id: a former one is fenced, its open
        transaction aborted.

        Raises:
            TransientError: Kafka does not answer in time.
            FencedError: another producer took over in the meantime.
        """
        self._until_done(self._producer.init_transactions, timeout_seconds, "start transactions")

    def begin(self) -> None:
        """Open a transaction."""
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            raise self._fatal(error.args[0]) from error
        self._began = time.monotonic()
        self._open, self._broken = True, False

    def send(self, records: Iterable[Sendable]) -> None:
        """Add records to the open transaction."""
        added = list(records)
        self._batch.extend(added)
        if not self._broken:
            self._broken = not self._produce(added)

    def commit(self) -> None:
        """Commit; where the transaction has to be aborted, send it again and commit that.

        Raises:
            TransientError: Kafka was away for too long. Nothing of the transaction was committed,
                or all of it: the progress record tells.
            FencedError: another producer took over.
        """
        deadline = time.monotonic() + self._outage_timeout
        while True:
            while self._broken:  # What is refused again must not be left out of a commit.
                self._redo(deadline)
            error = self._attempt(self._producer.commit_transaction, deadline, "commit")
            if error is None:
                self._open = False
                self._batch.clear()
                return
            log.warning("transaction has to be sent again", error=error.str())
            self._broken = True

    def abandon(self) -> None:
        """Abort what is open, if Kafka answers at once: readers need not wait for its time-out."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(KafkaException):
            self._producer.abort_transaction(_ABANDON_SECONDS)

    def _redo(self, deadline: float) -> None:
        left = max(1.0, deadline - time.monotonic())
        self._until_done(self._producer.abort_transaction, left, "abort a transaction")
        self.begin()
        log.info("transaction open", records=len(self._batch), again=True)
        self._broken = not self._produce(self._batch)
        if self._broken and not self._wait(deadline):
            raise TransientError(
                "Kafka did not take the records in time; what was committed is safe: "
                "run the same command again to go on"
            )

    def _produce(self, records: Iterable[Sendable]) -> bool:
        """Hand records to the client; False where the transaction has to be aborted.

        Records of one topic keep their order, and what goes alone has its own among all.
        """
        waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
        try:
            for record in records:
                if isinstance(record, Record):
                    waiting[record.topic].append({"value": record.value, "key": record.key})
                    continue
                self._produce_batches(waiting)
                self._until_taken(partial(self._produce_one, record))
            self._produce_batches(waiting)
            self._producer.poll(0)
        except KafkaException as error:
            problem: KafkaError = error.args[0]
            if problem.fatal():
                raise self._fatal(problem) from error
            log.warning("records were refused", error=problem.str())
            return False
        return True

    def _produce_batches(self, waiting: dict[str, list[dict[str, Any]]]) -> None:
        """Hand over what waits. The client finds each record's partition, as for a single one."""
        for topic, messages in waiting.items():
            self._until_taken(partial(self._produce_batch, topic, messages))
        waiting.clear()

    def _produce_batch(self, topic: str, messages: list[dict[str, Any]]) -> bool:
        """Whether the client's queue had room for all; else ``messages`` is the rest.

        It gets no more than it has room for. Behind a message that it has refused it would take
        the next one if room was made meanwhile, and the order of the topic would be lost.
        """
        room = max(0, self._queue_records - len(self._producer))
        handed, rest = messages[:room], messages[room:]
        refused: list[dict[str, Any]] = []
        if self._producer.produce_batch(topic, handed) < len(handed):
            refused = [message for message in handed if _ERROR in message]
        for message in refused:
            problem = message.pop(_ERROR)
            if problem.code() != KafkaError._QUEUE_FULL:  # Its bytes: room there is not counted.
                raise KafkaException(problem)
        messages[:] = refused + rest
        return not messages

    def _produce_one(self, record: HeartbeatRecord | ArchivedRecord) -> bool:
        """Whether the client's queue had room; its batches know no headers."""
        arguments: tuple[Any, ...] = record
        try:
            self._producer.produce(*arguments)
        except BufferError:
            return False
        return True

    def _until_taken(self, attempt: Callable[[], bool]) -> None:
        while not attempt():  # Its queue is full: it is being sent meanwhile.
            self._producer.poll(_PAUSE_SECONDS)
            self._check_still_wanted()

    def _until_done(
        self, call: Callable[[float], object], timeout_seconds: float, what: str
    ) -> None:
        """A call that cannot be answered by an abort."""
        deadline = time.monotonic() + timeout_seconds
        error = self._attempt(call, deadline, what)
        if error is not None:
            raise TransientError(f"Kafka refused to {what}: {error.str()}")

    def _attempt(
        self, call: Callable[[float], object], deadline: float, what: str
    ) -> KafkaError | None:
        """Call until it works; the error where the transaction has to be aborted instead."""
        while True:
            patience = min(_CALL_SECONDS, max(0.5, deadline - time.monotonic()))
            try:
                call(patience)
                return None
            except KafkaException as error:
                problem: KafkaError = error.args[0]
                if problem.txn_requires_abort():
                    return problem
                if problem.fatal() or problem.code() in _FENCED:
                    raise self._fatal(problem) from error
                if not problem.retriable():
                    raise TransientError(f"Kafka refused to {what}: {problem.str()}") from error
                log.warning("kafka does not answer yet", trying_to=what, error=problem.str())
                if not self._wait(deadline):
                    raise TransientError(
                        f"Kafka did not {what} in time ({problem.str()}); what was committed is "
                        "safe: run the same command again to go on"
                    ) from error

    def _wait(self, deadline: float) -> bool:
        self._check_still_wanted()
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
        return True

    def _check_still_wanted(self) -> None:
        if self._give_up() and time.monotonic() - self._began > _CALL_SECONDS:
            raise TransientError(
                "stopped while Kafka was away; what was committed is safe: "
                "run the same command again to go on"
            )

    def _fatal(self, problem: KafkaError) -> TransientError | FencedError:
        self._open = False
        if problem.code() in _FENCED:
            if time.monotonic() - self._began >= self._transaction_timeout:
                return TransactionExpiredError(
                    "a transaction was open for longer than Kafka allows (an outage, or this "
                    "process was suspended) and was given up; run the same command again to go on"
                )
            return FencedError(
                "another producer has taken over this input: this one stops, nothing is lost "
                "or sent twice"
            )
        return TransientError(f"Kafka's client cannot go on: {problem.str()}")


class _QuietLogger:
    """librdkafka's own log lines, as debug events: what matters comes as errors too."""

    def log(self, level: int, message: str, *arguments: object) -> None:
        log.debug("librdkafka", line=message % arguments if arguments else message)


_quiet: Any = _QuietLogger()
