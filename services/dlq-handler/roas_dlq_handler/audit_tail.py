"""The committed audit records that PostgreSQL does not have yet, from Kafka itself.

What was done is decided by these and by what PostgreSQL has stored of the ones before, never by
PostgreSQL alone: it may be seconds behind, or hours.
"""

from __future__ import annotations

import time
from typing import Any, Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from roas_contracts.consuming.positions import StoredOffset, check_identity, start_offset
from roas_contracts.consuming.source import CommittedSource
from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.events import DEAD_LETTER_ACTIONS, DeadLetterAction, DeadLetterActionRecord
from roas_dlq_handler import READER
from roas_dlq_handler.outbox import TRANSACTION_TIMEOUT_MS

_PARTITION: Final = (DEAD_LETTER_ACTIONS, 0)
_WAIT_SECONDS: Final = TRANSACTION_TIMEOUT_MS / 1000 + 30
"""Records behind somebody's open transaction show when that ends: at its timeout, at the latest."""
_LATEST: Any = vars(kafka_admin)["OffsetSpec"].latest()
_NOW_MS: Final = 0
"""No rule on the wall clock applies to actions."""


class AuditTail:
    """What happened to dead letters lately.

    Args:
        latest: the newest action on each dead letter that PostgreSQL may not know of.
        by_operation: how many dead letters each operation has dealt with in there.
    """

    def __init__(self) -> None:
        self.latest: dict[str, DeadLetterAction] = {}
        self.by_operation: dict[str, int] = {}

    def add(self, action: DeadLetterActionRecord) -> None:
        """Take in the next action."""
        self.latest[action.dead_letter_id] = action.action
        count = self.by_operation.get(action.operation_id, 0)
        self.by_operation[action.operation_id] = count + 1


def read_tail(bootstrap: str, decoder: Decoder, stored: StoredOffset) -> AuditTail:
    """Read from where PostgreSQL has come to, up to the topic's end as it is now.

    Args:
        bootstrap: Kafka's address.
        decoder: of dead-letter-actions.
        stored: where PostgreSQL has come to.

    Raises:
        TransientError: Kafka does not answer, or a transaction stays open.
        MisconfigurationError: PostgreSQL's position is not one of this topic.
    """
    source = CommittedSource(bootstrap, READER, [DEAD_LETTER_ACTIONS])
    tail = AuditTail()
    try:
        check_identity(READER, {_PARTITION: stored}, source.identities())
        end = _end(bootstrap)
        at = start_offset(READER, _PARTITION, stored.next_offset, (0, end), accept_lost=False)
        source.assign({_PARTITION: at})
        deadline = time.monotonic() + _WAIT_SECONDS
        while at < end:
            poll = source.poll(10_000, 0.5, 0.02)
            for record in poll.records:
                _take(tail, decoder, record.value(), record.headers())
                at = max(at, int(record.offset() or 0) + 1)
            at = max(at, poll.ends.get(_PARTITION, at))
            if time.monotonic() > deadline:
                raise TransientError(
                    "what was done last can't be read from dead-letter-actions yet (somebody's "
                    "transaction is open): try again in a minute"
                )
    finally:
        source.close()
    return tail


def _take(tail: AuditTail, decoder: Decoder, value: bytes | None, headers: Any) -> None:
    try:
        action = decoder.decode(value, headers, _NOW_MS)
    except PoisonError:
        return  # Nobody of ours wrote it; the service keeps it as a dead letter.
    if isinstance(action, DeadLetterActionRecord):
        tail.add(action)


def _end(bootstrap: str) -> int:
    """The end of the topic, open transactions included."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        asked = admin.list_offsets(
            {TopicPartition(*_PARTITION): _LATEST},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=10,
        )
        (answer,) = asked.values()
        return int(answer.result(timeout=15).offset)
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"Kafka does not answer: {error}") from error
