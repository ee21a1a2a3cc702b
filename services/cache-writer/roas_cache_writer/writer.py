"""The loop: poll, classify, dead letters, PostgreSQL, Redis; and what happens when one is away.

One rule covers PostgreSQL's failures: forget what is in memory, read the offsets back, read Kafka
from there. One rule covers Redis's: note that it is stale, go on counting, and fill it from
PostgreSQL as soon as it answers; until then the writer is not ready.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from roas_cache_writer import READER
from roas_cache_writer.batch import Batch, Classifier
from roas_cache_writer.live_copy import LiveCopy
from roas_cache_writer.store import MetricsStore
from roas_cache_writer.telemetry import Telemetry
from roas_contracts.consuming.dead_letter_sink import DeadLetterSink
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

_CHECK_SECONDS: Final = 10.0
"""How often the topics' identities and partitions are looked at."""
_POLL_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 5.0

_log = structlog.get_logger("roas_cache_writer.writer")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """What the loop is told by the settings."""

    batch_max_records: int
    batch_linger_seconds: float
    accept_lost_records: bool


class Writer:
    """One cache-writer. Not thread-safe; its telemetry's status may be read from any thread.

    Args:
        source, store, sink, live_copy: the adapters.
        classifier: makes a classifier, afresh after each failure of PostgreSQL: what was in
            memory is classified again and must not count twice towards the poison limit.
        telemetry: what is shown of it.
        options: from the settings.
        stop: ends `run`.
    """

    def __init__(
        self,
        source: CommittedSource,
        store: MetricsStore,
        sink: DeadLetterSink,
        live_copy: LiveCopy,
        classifier: Callable[[], Classifier],
        telemetry: Telemetry,
        options: WriterOptions,
        stop: StopSignal,
    ) -> None:
        self._source = source
        self._store = store
        self._sink = sink
        self._live = live_copy
        self._make_classifier = classifier
        self._classifier = classifier()
        self._telemetry = telemetry
        self._status = telemetry.status
        self._options = options
        self._stop = stop
        self._epoch: int | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._topics: dict[str, TopicIdentity] = {}
        self._next_check = 0.0
        self._failures = 0
        """Restarts from the committed offsets since the last commit."""

    def run(self) -> None:
        """Count until told to stop.

        Raises:
            FencedError: another instance took over.
            MisconfigurationError: a person has to decide something.
        """
        while not self._stop.is_set():
            try:
                self._patiently("connecting", self._synchronise)
                self._count()
            except TransientError as error:
                # PostgreSQL failed under a batch, or Kafka under a poll. Stopping looks alike.
                if not self._stop.is_set():
                    _log.warning("starting again from the committed offsets", reason=str(error))
                self._live.mark_stale()
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
        stored = self._add_new_partitions(self._store.offsets(), self._epoch)
        check_epoch(READER, stored, self._epoch)
        self._positions = {key: stored[key].next_offset for key in stored if self._reads(key)}
        self._source.assign(
            {
                key: start_offset(
                    READER, key, offset, self._source.bounds(key), self._options.accept_lost_records
                )
                for key, offset in self._positions.items()
            }
        )
        self._classifier = self._make_classifier()
        self._next_check = time.monotonic() + _CHECK_SECONDS
        self._status.assigned = self._status.postgres = True
        _log.info(
            "counting",
            epoch=self._epoch,
            positions={f"{topic}[{n}]": at for (topic, n), at in self._positions.items()},
        )

    def _reads(self, key: TopicPartition) -> bool:
        return key[0] in self._topics

    def _add_new_partitions(
        self, stored: Mapping[TopicPartition, StoredOffset], epoch: int
    ) -> Mapping[TopicPartition, StoredOffset]:
        new = [
            (topic, number)
            for topic, identity in self._topics.items()
            for number in range(identity.partitions)
            if (topic, number) not in stored
        ]
        for topic, number in new:
            identity = self._topics[topic]
            first, _ = self._source.bounds((topic, number))
            self._store.add_partition(
                (topic, number), StoredOffset(first, identity.cluster_id, identity.topic_id, epoch)
            )
        return self._store.offsets() if new else stored

    def _count(self) -> None:
        while not self._stop.is_set():
            self._live.refresh(self._store)
            poll = self._source.poll(
                self._options.batch_max_records,
                _POLL_SECONDS,
                self._options.batch_linger_seconds,
            )
            if poll.records or poll.ends:
                self._status.kafka = True
                self._write(self._classified(poll))
            if time.monotonic() >= self._next_check:
                self._check_topics()

    def _classified(self, poll: Poll) -> Batch:
        batch = Batch()
        with self._telemetry.steps.labels("decode").time():
            self._classifier.add_all(
                batch,
                poll.records,
                partial(self._patiently, "waiting for the schema registry"),
            )
        for key, end in poll.ends.items():
            if end > self._positions.get(key, end):
                batch.advance(key, end)
        return batch

    def _write(self, batch: Batch) -> None:
        if not batch.progress:
            return
        assert self._epoch is not None
        if batch.dead_letters:
            with self._telemetry.steps.labels("dead_letters").time():
                self._patiently(
                    "writing dead letters", lambda: self._sink.write(batch.dead_letters)
                )
            _log.warning(
                "dead letters",
                count=len(batch.dead_letters),
                first=batch.dead_letters[0].dead_letter_id,
                reason=batch.dead_letters[0].reason,
                detail=batch.dead_letters[0].detail,
            )
        with self._telemetry.steps.labels("postgres").time():
            changed = self._store.commit(batch, self._positions, self._epoch)
        self._failures = 0
        self._positions.update({key: p.next_offset for key, p in batch.progress.items()})
        self._telemetry.committed(batch)
        with self._telemetry.steps.labels("redis").time():
            self._live.set(batch.folds, changed)
        self._source.copy_offsets(self._positions)
        self._telemetry.position(self._positions, self._source.ends())

    def _check_topics(self) -> None:
        """A topic that was created again or has grown shows up here."""
        self._next_check = time.monotonic() + _CHECK_SECONDS
        self._telemetry.position(self._positions, self._source.ends())
        try:
            topics = self._source.identities()
        except TransientError as error:
            self._status.kafka = False
            _log.warning("kafka does not answer", reason=str(error))
            return
        self._status.kafka = True
        if topics != self._topics:
            raise TransientError("the metrics topics have changed")

    def _pause(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _patiently(self, doing: str, attempt: Callable[[], _T]) -> _T:
        """Try until it works or we are told to stop; then the last failure is raised."""

        def note(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            self._status.waiting_for = str(failure)
            _log.warning(doing, attempt=state.attempt_number, reason=str(failure))

        try:
            return Retrying(
                retry=retry_if_exception_type(TransientError),
                wait=wait_exponential_jitter(initial=0.2, max=_LONGEST_PAUSE, jitter=0.2),
                stop=lambda _state: self._stop.is_set(),
                sleep=self._pause,
                before_sleep=note,
                reraise=True,
            )(attempt)
        finally:
            self._status.waiting_for = None
