"""The main loop: what is due goes into a transaction, about once a second it is committed.

With the events go, in the same transaction: heartbeats to every partition, file dead letters, and
the progress record. A transaction ends between two event times (see :mod:`roas_producer.progress`)
and there is one each second even where no event is due, for the heartbeats.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from roas_contracts.errors import RoasError
from roas_contracts.events import ProducerProgress
from roas_contracts.rules import EARLIEST_MS
from roas_producer.errata import Errata
from roas_producer.feed import Chunk, Feed, Record
from roas_producer.heartbeats import end_clock, heartbeats
from roas_producer.metrics import ProducerMetrics
from roas_producer.pacing import Pace
from roas_producer.progress import NOTHING_EMITTED, advanced
from roas_producer.rows import BadRow
from roas_producer.sequence import Kind
from roas_producer.transactions import TransactionalSender

_FEED_SECONDS: Final = 0.1

log = structlog.get_logger("roas_producer.emission")


class Stop(Protocol):
    """A request to stop, such as ``roas_contracts.service.stop.StopSignal``."""

    def is_set(self) -> bool:
        """Whether a stop was asked for."""

    def wait(self, seconds: float) -> bool:
        """Wait for it; whether it was asked for."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How transactions are cut."""

    interval_seconds: float
    max_records: int


@dataclass(slots=True)
class _Transaction:
    """What is in the transaction that is being filled."""

    deadline: float
    kinds: Counter[Kind]
    bad_rows: list[BadRow]
    through_ms: int
    is_open: bool = False

    @property
    def records(self) -> int:
        return self.kinds.total()


class Emission:
    """Sends a feed.

    Args:
        feed: started.
        sender: took over.
        progress: where the run stands.
        progress_record: encodes progress.
        pace: makes the pace when the first event time is known, from event time and wall clock.
        partitions: how many partitions each event topic has now.
        row_kinds: the steps of which each is one row of the input.
        errata: where bad rows are written, or None.
        metrics: of the process.
        stop: ends the run at the next commit.
        cadence: how transactions are cut.
        now_ms: the wall clock.
        shift_ms: the timeline's shift, known when the first chunk is.
        committed: told of the progress after each commit.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        sender: TransactionalSender,
        progress: ProducerProgress,
        progress_record: Callable[[ProducerProgress], Record],
        pace: Callable[[int, int], Pace],
        partitions: Callable[[], Mapping[str, int]],
        row_kinds: frozenset[Kind],
        errata: Errata | None,
        metrics: ProducerMetrics,
        stop: Stop,
        cadence: Cadence,
        now_ms: Callable[[], int],
        shift_ms: Callable[[], int],
        committed: Callable[[ProducerProgress], None] = lambda _: None,
    ) -> None:
        self.progress = progress
        self._feed = feed
        self._sender = sender
        self._progress_record = progress_record
        self._make_pace = pace
        self._pace: Pace | None = None
        self._partitions = partitions
        self._row_kinds = row_kinds
        self._errata = errata
        self._metrics = metrics
        self._stop = stop
        self._cadence = cadence
        self._now_ms = now_ms
        self._shift_ms = shift_ms
        self._committed = committed
        # No promise before the first chunk: an earlier run may have promised more than is known.
        self._chunk = Chunk(clock_ms=NOTHING_EMITTED)
        self._at = 0
        self._failure: RoasError | None = None
        self.last_commit = time.monotonic()
        self.possible: list[ProducerProgress] = [progress]
        """Where Kafka may say that the run stands: while a commit is under way, two answers."""

    def run(self) -> bool:
        """Send until the end of the feed or a stop; whether the end was reached.

        Raises:
            InputError: the input is wrong further on; all before it is committed.
            TransientError: Kafka was away for too long.
            FencedError: another producer took over.
        """
        while not self.progress.finished:
            self._one_transaction()
            if self._failure is not None:
                raise self._failure
            if self._stop.is_set():
                break
        return self.progress.finished

    def _one_transaction(self) -> None:
        transaction = _Transaction(
            deadline=time.monotonic() + self._cadence.interval_seconds,
            kinds=Counter(),
            bad_rows=[],
            through_ms=self.progress.emitted_through,
        )
        while not self._full(transaction):
            end = self._next_due(transaction.deadline)
            if end is None:
                break
            self._add(transaction, end)
        self._commit(transaction)

    def _full(self, transaction: _Transaction) -> bool:
        return (
            self._stop.is_set()
            or transaction.records >= self._cadence.max_records
            or time.monotonic() >= transaction.deadline
        )

    def _next_due(self, deadline: float) -> int | None:
        """Position up to which the current chunk is due; None where nothing is by the deadline."""
        while not self._stop.is_set():
            left = deadline - time.monotonic()
            if self._at == len(self._chunk.times):
                if self._chunk.is_last or left <= 0 or not self._fetch(left):
                    return None
                continue
            now = self._now_ms()
            first = self._chunk.times[self._at]
            if self._pace is None:
                self._pace = self._make_pace(first, now)
            end = self._chunk.due(self._pace.horizon_ms(now), self._at)
            if end > self._at:
                return end
            if left <= 0:
                return None
            self._stop.wait(min(left, self._pace.wait_ms(first, now) / 1000))
        return None

    def _fetch(self, left: float) -> bool:
        """Take the next chunk, if it comes in time; False where there will be none."""
        try:
            chunk = self._feed.next(min(left, _FEED_SECONDS))
        except RoasError as error:
            self._failure = error
            return False
        if chunk is not None:
            self._chunk, self._at = chunk, 0
        return True

    def _add(self, transaction: _Transaction, end: int) -> None:
        chunk, start = self._chunk, self._at
        if not transaction.is_open:
            self._open(transaction)
        self._sender.send(chunk.records[start:end])
        transaction.kinds.update(chunk.count(start, end))
        transaction.bad_rows += [row for at, row in chunk.bad_rows if start <= at < end]
        transaction.through_ms = chunk.times[end - 1]
        self._at = end

    def _open(self, transaction: _Transaction) -> None:
        self._sender.begin()
        transaction.is_open = True
        log.info("transaction open", after_events=self.progress.events_emitted)

    def _commit(self, transaction: _Transaction) -> None:
        finished = self._chunk.is_last and self._at == len(self._chunk.times)
        progress = advanced(
            self.progress, transaction.kinds, transaction.through_ms, self._row_kinds
        )
        clock = self._clock(finished, progress)
        beats = [] if clock is None else heartbeats(self._partitions(), clock)
        if not (transaction.is_open or beats or finished):
            return
        if not transaction.is_open:
            self._open(transaction)
        if transaction.bad_rows and self._errata is not None:
            self._errata.add(transaction.bad_rows)
        self._sender.send(beats)
        if transaction.records or finished:
            progress = replace(
                progress,
                finished=finished,
                rebase_ms=self._shift_ms(),
                updated_at=self._now_ms(),
            )
            self._sender.send([self._progress_record(progress)])
        self.possible = [self.progress, progress]
        began = time.monotonic()
        self._sender.commit()
        self.possible = [progress]
        self._account(transaction, progress, len(beats), time.monotonic() - began)

    def _clock(self, finished: bool, progress: ProducerProgress) -> int | None:
        """The clock that heartbeats can promise now; None before there is one."""
        if finished:
            clock = end_clock(progress.emitted_through)
        elif self._at < len(self._chunk.times):
            clock = min(self._chunk.times[self._at], self._now_ms())
        else:
            clock = min(self._chunk.clock_ms or 0, self._now_ms())
        return clock if clock >= EARLIEST_MS else None

    def _account(
        self,
        transaction: _Transaction,
        progress: ProducerProgress,
        beats: int,
        commit_seconds: float,
    ) -> None:
        self.progress = progress
        self.last_commit = time.monotonic()
        metrics = self._metrics
        for kind, counter in metrics.events.items():
            counter.inc(transaction.kinds[kind])
        for row in transaction.bad_rows:
            metrics.dead_letters.labels(row.reason.value).inc()
        metrics.transactions.inc()
        metrics.heartbeats.inc(beats)
        metrics.commit_seconds.observe(commit_seconds)
        if progress.emitted_through != NOTHING_EMITTED:
            metrics.event_clock.set(progress.emitted_through / 1000)
        log.info(
            "transaction committed",
            events=transaction.records,
            heartbeats=beats,
            events_emitted=progress.events_emitted,
            emitted_through=progress.emitted_through,
        )
        self._committed(progress)
