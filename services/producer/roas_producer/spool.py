"""A list of parsed lines that moves to a temporary file when it grows: an hour of rows in bounded
memory."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Final, Generic, NamedTuple, TypeVar

from roas_contracts.errors import TransientError

T = TypeVar("T")

IN_MEMORY: Final = 200_000
"""Items that are held as objects; what is more is in a file. An average hour of Avazu's has
170,000 rows, which take about 80 MB so."""

_WRITE_EVERY: Final = 1_000
_ENTRY: Final = struct.Struct("<QI")
"""Before each line in the file: its number, and its length in bytes."""


class _Entry(NamedTuple):
    line: int
    raw: bytes


class Spool(Generic[T]):
    """Append, then iterate as often as wanted.

    The first items are held as they are. The file has lines, which are parsed again when they are
    read back: no slower than any other way to get objects from a file, and nothing but bytes in it.

    Args:
        parse: makes an item from a line number and the line's bytes, always the same one.
        in_memory: how many items may be held as objects.
    """

    def __init__(self, parse: Callable[[int, bytes], T], in_memory: int = IN_MEMORY) -> None:
        self._parse = parse
        self._in_memory = in_memory
        self._items: list[T] = []
        self._entries: list[_Entry] = []
        """Behind the items: on their way to the file."""
        self._file: IO[bytes] | None = None
        self._spooled = 0

    def append(self, line: int, raw: bytes, item: T) -> None:
        """Put an item at the end; ``item`` is what ``parse(line, raw)`` made.

        Raises:
            TransientError: the disk for temporary files is full.
        """
        if len(self._items) < self._in_memory:
            self._items.append(item)
            return
        self._entries.append(_Entry(line, raw))
        if len(self._entries) >= _WRITE_EVERY:
            self._spill()

    def __len__(self) -> int:
        return len(self._items) + self._spooled + len(self._entries)

    def __iter__(self) -> Iterator[T]:
        yield from self._items
        if not self._spooled and not self._entries:
            return
        self._spill()
        assert self._file is not None
        at = 0
        for _ in range(self._spooled):
            self._file.seek(at)
            line, length = _ENTRY.unpack(self._file.read(_ENTRY.size))
            raw = self._file.read(length)
            at += _ENTRY.size + length
            yield self._parse(line, raw)

    def close(self) -> None:
        """Forget everything and give the disk space back."""
        if self._file is not None:
            self._file.close()
        self._file, self._spooled = None, 0
        self._entries, self._items = [], []

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="roas-producer-")
            self._file.seek(0, 2)
            for line, raw in self._entries:
                self._file.write(_ENTRY.pack(line, len(raw)) + raw)
            self._file.flush()
        except OSError as error:
            raise TransientError(
                f"the temporary file for an hour of rows in {tempfile.gettempdir()} "
                f"cannot be written: {error.strerror}"
            ) from error
        self._spooled += len(self._entries)
        self._entries = []
