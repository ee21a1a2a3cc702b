"""The loop: poll, decode, PostgreSQL; and what happens when something is away.

One rule covers every failure of PostgreSQL or Kafka: forget what is in memory, read the offsets
back, read Kafka from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from roas_contracts.consuming.positions import (
    StoredOffset,
    TopicIdentity,
    TopicPartition,
    check_epoch,
    check_identity,
    start_offset,
)
from roas_contracts.consuming.source import CommittedSource, Poll
from roas_contracts.errors import TransientError
from roas_contracts.service.stop import StopSignal
from roas_dlq_handler import READER
from roas_dlq_handler.intake import Batch, Intake
from roas_dlq_handler.store import Store
from roas_dlq_handler.telemetry import Telemetry

_CHECK_SECONDS: Final = 10.0
"""How often the topics' identities, and what is unresolved, are looked at."""
_POLL_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 5.0

_log = structlog.get_logger("roas_dlq_handler.keeper")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class KeeperOptions:
    """What the loop is told by the settings."""

    batch_max_records: int
    batch_linger_seconds: float
    accept_lost_records: bool


class Keeper:
    """One dlq-handler. Not thread-safe; its telemetry's status may be read from any thread."""

    def __init__(
        self,
        source: CommittedSource,
        store: Store,
        intake: Intake,
        telemetry: Telemetry,
        options: KeeperOptions,
        stop: StopSignal,
    ) -> None:
        self._source = source
        self._store = store
        self._intake = intake
        self._telemetry = telemetry
        self._status = telemetry.status
        self._options = options
        self._stop = stop
        self._epoch: int | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._topics: dict[str, TopicIdentity] = {}
        self._next_check = 0.0
        self._failures = 0

    def run(self) -> None:
        """Store until told to stop.

        Raises:
            FencedError: another instance took over.
            MisconfigurationError: a person has to decide something.
        """
        while not self._stop.is_set():
            try:
                self._patiently("connecting", self._synchronise)
                self._keep()
            except TransientError as error:
                if not self._stop.is_set():
                    _log.warning("starting again from the committed offsets", reason=str(error))
                self._stop.wait(min(_LONGEST_PAUSE, 0.1 * 2 ** min(self._failures, 6)))
                self._failures += 1

    def _synchronise(self) -> None:
        """Own the partitions, read their offsets, and read Kafka from there."""
        self._status.assigned = self._status.postgres = False
        self._topics = self._source.identities()
        self._status.kafka = True
        self._store.open()
        # Before the claim: an instance that points to the wrong Kafka must not stop the right one.
        check_identity(READER, self._store.offsets(), self._topics)
        if self._epoch is None:
            epoch = self._store.next_epoch()
            self._store.claim(epoch)
            self._epoch = epoch
        self._add_new_partitions(self._epoch)
        stored = self._store.offsets()
        check_epoch(READER, stored, self._epoch)
        self._positions = {
            key: offset.next_offset for key, offset in stored.items() if key[0] in self._topics
        }
        accept = self._options.accept_lost_records
        self._source.assign(
            {
                key: start_offset(READER, key, offset, self._source.bounds(key), accept)
                for key, offset in self._positions.items()
            }
        )
        self._next_check = 0.0
        self._status.assigned = self._status.postgres = True
        _log.info(
            "keeping",
            epoch=self._epoch,
            positions={f"{topic}[{n}]": at for (topic, n), at in self._positions.items()},
        )

    def _add_new_partitions(self, epoch: int) -> None:
        stored = self._store.offsets()
        for topic, identity in self._topics.items():
            for number in range(identity.partitions):
                if (topic, number) not in stored:
                    first, _ = self._source.bounds((topic, number))
                    self._store.add_partition(
                        (topic, number),
                        StoredOffset(first, identity.cluster_id, identity.topic_id, epoch),
                    )

    def _keep(self) -> None:
        while not self._stop.is_set():
            poll = self._source.poll(
                self._options.batch_max_records,
                _POLL_SECONDS,
                self._options.batch_linger_seconds,
            )
            if poll.records or poll.ends:
                self._status.kafka = True
                self._write(self._taken_in(poll))
            if time.monotonic() >= self._next_check:
                self._check()

    def _taken_in(self, poll: Poll) -> Batch:
        batch = Batch()
        for record in poll.records:
            try:
                self._intake.add(batch, record)
            except TransientError:
                # The registry is away. This record waits, and so do those behind it.
                self._patiently(
                    "waiting for the schema registry", partial(self._intake.add, batch, record)
                )
        for key, end in poll.ends.items():
            if end > self._positions.get(key, end):
                batch.advance(key, end)
        return batch

    def _write(self, batch: Batch) -> None:
        if not batch.progress:
            return
        assert self._epoch is not None
        self._store.commit(batch, self._positions, self._epoch)
        self._failures = 0
        self._positions.update({key: p.next_offset for key, p in batch.progress.items()})
        self._telemetry.committed(batch)
        self._source.copy_offsets(self._positions)
        self._telemetry.position(self._positions, self._source.ends())

    def _check(self) -> None:
        """What is unresolved; and a topic that was created again or has grown shows up here."""
        self._next_check = time.monotonic() + _CHECK_SECONDS
        self._telemetry.waiting(*self._store.unresolved())
        self._telemetry.position(self._positions, self._source.ends())
        try:
            topics = self._source.identities()
        except TransientError as error:
            self._status.kafka = False
            _log.warning("kafka does not answer", reason=str(error))
            return
        self._status.kafka = True
        if topics != self._topics:
            raise TransientError("the topics have changed")

    def _patiently(self, doing: str, attempt: Callable[[], _T]) -> _T:
        """Try until it works or we are told to stop; then the last failure is raised."""

        def note(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            self._status.waiting_for = str(failure)
            _log.warning(doing, attempt=state.attempt_number, reason=str(failure))

        def pause(seconds: float) -> None:
            self._stop.wait(seconds)

        try:
            return Retrying(
                retry=retry_if_exception_type(TransientError),
                wait=wait_exponential_jitter(initial=0.2, max=_LONGEST_PAUSE, jitter=0.2),
                stop=lambda _state: self._stop.is_set(),
                sleep=pause,
                before_sleep=note,
                reraise=True,
            )(attempt)
        finally:
            self._status.waiting_for = None
