"""A list that moves to a temporary file when it grows: an hour of rows in bounded memory."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Generic, TypeVar

from roas_contracts.errors import TransientError

T = TypeVar("T")

IN_MEMORY = 20_000
"""Items that are held as objects before a file is used."""

_CHUNK = 1_000


class Spool(Generic[T]):
    """Append, then iterate as often as wanted.

    Items go to the file with :mod:`marshal`: it is ours alone, unlinked from the start, and read
    back by the same interpreter.

    Args:
        pack: item to a plain tuple of str, bytes, int, bool and None.
        unpack: the way back.
        in_memory: how many items may be held as objects.
    """

    def __init__(
        self,
        pack: Callable[[T], tuple[Any, ...]],
        unpack: Callable[[tuple[Any, ...]], T],
        in_memory: int = IN_MEMORY,
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._in_memory = in_memory
        self._file: IO[bytes] | None = None
        self._spooled = 0
        self._items: list[T] = []

    def append(self, item: T) -> None:
        """Put an item at the end.

        Raises:
            TransientError: the disk for temporary files is full.
        """
        self._items.append(item)
        limit = self._in_memory if self._file is None else _CHUNK
        if len(self._items) >= max(1, limit):
            self._spill()

    def __len__(self) -> int:
        return self._spooled + len(self._items)

    def __iter__(self) -> Iterator[T]:
        if self._file is not None:
            self._file.flush()
            at, spooled = 0, self._spooled
            while spooled > 0:
                self._file.seek(at)
                chunk = marshal.load(self._file)
                at = self._file.tell()
                spooled -= len(chunk)
                yield from map(self._unpack, chunk)
        yield from self._items

    def close(self) -> None:
        """Forget everything and give the disk space back."""
        if self._file is not None:
            self._file.close()
        self._file, self._items, self._spooled = None, [], 0

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="roas-producer-")
            self._file.seek(0, 2)
            for at in range(0, len(self._items), _CHUNK):
                chunk = [self._pack(item) for item in self._items[at : at + _CHUNK]]
                marshal.dump(chunk, self._file)
        except OSError as error:
            raise TransientError(
                f"the temporary file for an hour of rows in {tempfile.gettempdir()} "
                f"cannot be written: {error.strerror}"
            ) from error
        self._spooled += len(self._items)
        self._items = []
