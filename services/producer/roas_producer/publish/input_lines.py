"""The lines of an input, which may be a pipe that is slow: who reads them can tell whether the
next one is here already, and hand on what there is before waiting for it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterator
from typing import IO, Final

from roas_contracts.errors import InputError
from roas_producer.lines import MAX_LINE_BYTES, Input, opened

_READ_BYTES: Final = 1 << 18

Line = tuple[int, bytes]
"""Number, from 1, and bytes without the line end (LF or CR LF)."""


class InputLines:
    """Numbers the lines of an input. An iterator; can be read once.

    Args:
        source: the file or standard input.

    Raises:
        InputError: a line is absurdly long, or the file is damaged; names the line.
    """

    def __init__(self, source: Input) -> None:
        self._source = source
        self._number = 0
        self.drained = False
        """Whether the next line has to be waited for. Never of a file."""
        self._lines = self._read()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return next(self._lines)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _read(self) -> Generator[Line, None, None]:
        name = self._source.name
        try:
            with opened(self._source) as stream:
                yield from self._split(stream)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{name}, after line {self._number}: the gzip file is damaged ({error})"
            ) from error
        except OSError as error:
            raise InputError(
                f"{name}, after line {self._number}: cannot be read ({error.strerror})"
            ) from error

    def _split(self, stream: IO[bytes]) -> Iterator[Line]:
        rest, is_stream = b"", self._source.path is None
        # Not readline: that waits for a whole buffer where some lines are here already.
        while data := stream.read1(_READ_BYTES):  # type: ignore[attr-defined]
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            if len(rest) > MAX_LINE_BYTES:
                raise self._too_long(self._number + len(lines) + 1)
            for at, line in enumerate(lines, 1):
                self._number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise self._too_long(self._number)
                self.drained = is_stream and at == len(lines)
                yield self._number, line.rstrip(b"\r")
        if rest:
            self._number += 1
            yield self._number, rest.rstrip(b"\r")

    def _too_long(self, number: int) -> InputError:
        return InputError(
            f"{self._source.name}, line {number}: longer than {MAX_LINE_BYTES} bytes, "
            "so this is no file of rows"
        )
