"""Sorting by time on disk, in bounded memory.

Sorted runs go to one temporary file and are merged when they are read. Where rows are in order
already, the runs follow each other and nothing is merged.
"""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterator
from operator import itemgetter
from typing import IO, Final, NamedTuple

from roas_contracts.errors import TransientError

RUN_ROWS: Final = 20_000
"""Rows that are held in memory."""

_ENTRY: Final = struct.Struct("<qI")
"""Before each payload in the file: its time, and its length in bytes."""
_READ_BYTES: Final = 1 << 16

Timed = tuple[int, bytes]
"""Time in milliseconds, and what is sorted."""


class _Run(NamedTuple):
    start: int
    end: int
    last_ms: int


class SortedOnDisk:
    """Append, then read once in the order of time; equal times keep the order of appending.

    Args:
        run_rows: rows that are held in memory.
    """

    def __init__(self, run_rows: int = RUN_ROWS) -> None:
        self._run_rows = run_rows
        self._held: list[Timed] = []
        self._file: IO[bytes] | None = None
        self._runs: list[_Run] = []

    def add(self, time_ms: int, payload: bytes) -> None:
        """Put a row in.

        Raises:
            TransientError: the disk for temporary files is full.
        """
        self._held.append((time_ms, payload))
        if len(self._held) >= self._run_rows:
            self._write_run()

    def __iter__(self) -> Iterator[Timed]:
        self._held.sort(key=itemgetter(0))
        if self._file is None:
            yield from self._held
            return
        runs = [self._read(run) for run in self._runs]
        yield from heapq.merge(*runs, self._held, key=itemgetter(0))

    def close(self) -> None:
        """Give the disk space back."""
        if self._file is not None:
            self._file.close()
        self._file, self._held, self._runs = None, [], []

    def _write_run(self) -> None:
        self._held.sort(key=itemgetter(0))
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="roas-producer-")
            start = self._file.seek(0, 2)
            for time_ms, payload in self._held:
                self._file.write(_ENTRY.pack(time_ms, len(payload)) + payload)
            self._file.flush()
        except OSError as error:
            raise TransientError(
                f"the temporary file for sorting in {tempfile.gettempdir()} "
                f"cannot be written: {error.strerror}"
            ) from error
        run = _Run(start, self._file.tell(), self._held[-1][0])
        if self._runs and self._runs[-1].last_ms <= self._held[0][0]:
            run = run._replace(start=self._runs.pop().start)
        self._runs.append(run)
        self._held = []

    def _read(self, run: _Run) -> Iterator[Timed]:
        assert self._file is not None
        at, buffer = run.start, b""
        while at < run.end or buffer:
            offset = 0
            while len(buffer) - offset >= _ENTRY.size:
                time_ms, length = _ENTRY.unpack_from(buffer, offset)
                end = offset + _ENTRY.size + length
                if end > len(buffer):
                    break
                yield time_ms, buffer[offset + _ENTRY.size : end]
                offset = end
            if at >= run.end:
                return
            self._file.seek(at)
            more = self._file.read(min(_READ_BYTES, run.end - at))
            at += len(more)
            buffer = buffer[offset:] + more
