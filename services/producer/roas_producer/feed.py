"""The sequence, encoded and cut into chunks, made ahead by a thread of its own.

Reading may block (a pipe that is slow, an hour that is long to read) while heartbeats have to go
on: so rows are read and encoded here, and sent elsewhere. A few chunks are made ahead, no more.
"""

from __future__ import annotations

import queue
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from roas_contracts.errors import InputError
from roas_producer.rows import BadRow
from roas_producer.sequence import BlockEnd, Kind, Occurrence, Step

CHUNK_RECORDS = 1_000
CHUNKS_AHEAD = 8
_PATIENCE_SECONDS = 0.2


class Record(NamedTuple):
    """A Kafka record; its key decides its partition."""

    topic: str
    value: bytes
    key: bytes


@dataclass(slots=True)
class Chunk:
    """A stretch of the sequence that ends between two event times. All lists run in parallel."""

    times: list[int] = field(default_factory=list)
    """Event times as they are sent, never falling."""
    kinds: list[Kind] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    bad_rows: list[tuple[int, BadRow]] = field(default_factory=list)
    """Position in the chunk, and row, of each file dead letter."""
    clock_ms: int | None = None
    """Every event after this chunk is at or after this; None after the last chunk."""

    @property
    def is_last(self) -> bool:
        """Whether the sequence ends here."""
        return self.clock_ms is None

    def due(self, horizon_ms: int, start: int) -> int:
        """End of the stretch from ``start`` whose event times are at or before the horizon.

        It never splits a millisecond.
        """
        return bisect_right(self.times, horizon_ms, lo=start)

    def count(self, start: int, end: int) -> Counter[Kind]:
        """How many steps of each kind there are between two positions."""
        return Counter(self.kinds[start:end])


@dataclass(frozen=True, slots=True)
class Resume:
    """What was sent before, and so is left out."""

    through_ms: int
    """Steps at or before this event time (as sent)."""
    expected: int | None
    """How many they must be; None where whole hours were not even read."""


def chunks(
    steps: Iterable[Step],
    sent_time: Callable[[int], int],
    encode: Callable[[Occurrence], Record],
    resume: Resume,
    left_out: Callable[[BadRow], None] = lambda _: None,
    size: int = CHUNK_RECORDS,
) -> Iterator[Chunk]:
    """Cut the sequence into chunks, without what was sent before.

    Args:
        steps: the whole sequence, or its tail from an hour that ``resume`` makes sure of.
        sent_time: from the input's time to the event time that is sent.
        encode: makes the record of a step.
        resume: what was sent before.
        left_out: is told of each bad row that was sent before.
        size: about how many records a chunk has.

    Raises:
        InputError: what is left out is not what was sent before: the input is another one.
    """
    chunk = Chunk()
    skipping, skipped = True, 0
    for step in steps:
        if isinstance(step, BlockEnd):
            clock = sent_time(step.clock_ms)
            # Compressed time may put the block's end into the millisecond of its last event.
            if clock > (chunk.times[-1] if chunk.times else resume.through_ms):
                chunk.clock_ms = clock
                yield chunk
                chunk = Chunk()
            continue
        time_ms = sent_time(step.time_ms)
        if skipping:
            if time_ms <= resume.through_ms:
                skipped += 1
                if isinstance(step.row, BadRow):
                    left_out(step.row)
                continue
            skipping = False
            _check_skipped(skipped, resume)
        if len(chunk.times) >= size and time_ms > chunk.times[-1]:
            chunk.clock_ms = time_ms
            yield chunk
            chunk = Chunk()
        if isinstance(step.row, BadRow):
            chunk.bad_rows.append((len(chunk.times), step.row))
        chunk.times.append(time_ms)
        chunk.kinds.append(step.kind)
        chunk.records.append(encode(step))
    if skipping:
        _check_skipped(skipped, resume)
    yield chunk


def _check_skipped(skipped: int, resume: Resume) -> None:
    if resume.expected is not None and skipped != resume.expected:
        raise InputError(
            f"this input is not the one that was sent before under its name: its first "
            f"{skipped} events reach the time up to which {resume.expected} were sent; "
            "give it another --input-name"
        )


class Feed:
    """Runs a chunk iterator in a thread.

    Args:
        make: called in the thread; yields chunks, the last one marked as such.
    """

    def __init__(self, make: Callable[[], Iterator[Chunk]]) -> None:
        self._make = make
        self._queue: queue.Queue[Chunk | BaseException] = queue.Queue(CHUNKS_AHEAD)
        self._stopped = threading.Event()
        # A daemon: a read from a pipe that never ends cannot be interrupted.
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read ahead."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end; it may still wait for its input."""
        self._stopped.set()

    def next(self, timeout_seconds: float) -> Chunk | None:
        """The next chunk; None where there is none yet.

        Raises:
            RoasError: reading failed; every chunk before that has been handed out.
        """
        try:
            item = self._queue.get(timeout=max(0.0, timeout_seconds))
        except queue.Empty:
            return None
        if isinstance(item, BaseException):
            raise item
        return item

    def _run(self) -> None:
        try:
            for chunk in self._make():
                if not self._put(chunk):
                    return
        except Exception as error:  # It must end the process, not only this thread.
            self._put(error)

    def _put(self, item: Chunk | BaseException) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_PATIENCE_SECONDS)
                return True
            except queue.Full:
                continue
        return False
