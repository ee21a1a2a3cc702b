"""CSV with a header, as RFC 4180 and spreadsheets write it; any one-character delimiter."""

from __future__ import annotations

import csv
import functools
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from roas_contracts.errors import InputError, PoisonError
from roas_contracts.events import DeadLetterReason
from roas_producer.lines import Input
from roas_producer.publish.input_lines import InputLines, Line
from roas_producer.publish.rows import FileRow

_MAX_LINES_OF_A_ROW: Final = 100
"""A quoted field may hold line ends; a quote that was only forgotten must not eat the file."""


class CsvRows:
    """Reads a CSV file.

    Args:
        source: the file or standard input.
        delimiter: between fields.

    Raises:
        InputError: there is no usable header.
    """

    def __init__(self, source: Input, delimiter: str) -> None:
        self._source = source
        self.delimiter = delimiter
        # A stream can be read once: its header with its rows.
        self._lines = InputLines(source)
        self.columns: list[str] = self._header()

    @property
    def drained(self) -> bool:
        """Whether the next row has to be waited for."""
        return self._lines.drained

    def rows(self) -> Iterator[FileRow]:
        """The rows behind the header; blank lines are no rows."""
        width = len(self.columns)
        held: deque[Line] = deque()
        with closing(self._lines):
            while (line := held.popleft() if held else next(self._lines, None)) is not None:
                number, raw = line
                if not raw:
                    continue
                fields, raw = self._fields(raw, held)
                raw_bytes = functools.partial(bytes, raw)
                if isinstance(fields, PoisonError):
                    yield FileRow(number, raw_bytes, fields)
                elif len(fields) != width:
                    yield FileRow(number, raw_bytes, self._wrong_width(fields))
                else:
                    yield FileRow(number, raw_bytes, dict(zip(self.columns, fields, strict=True)))

    def _header(self) -> list[str]:
        name = self._source.name
        _, raw = next(self._lines, (1, b""))
        if not raw:
            raise InputError(f"{name}: empty, a header line is expected")
        try:
            fields = next(csv.reader([raw.decode("utf-8-sig")], delimiter=self.delimiter))
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{name}, line 1: the header is not CSV: {error}") from error
        columns = [field.strip() for field in fields]
        twice = [column for column, count in Counter(columns).items() if count > 1 and column]
        if twice:
            raise InputError(f"{name}, line 1: the column {twice[0]!r} is there twice")
        return columns

    def _fields(self, raw: bytes, held: deque[Line]) -> tuple[list[str] | PoisonError, bytes]:
        """The fields of a row, and its bytes; takes further lines where a quote is open."""
        text = _decoded(raw)
        if isinstance(text, PoisonError):
            return text, raw
        if '"' not in text:
            return text.split(self.delimiter), raw
        taken: list[Line] = []
        whole = raw
        while True:
            fields, is_open = _parsed(text, self.delimiter)
            if not is_open:
                return fields, whole
            more = held.popleft() if held else next(self._lines, None)
            if more is not None:
                taken.append(more)
                whole += b"\n" + more[1]
                text = _decoded(whole)
            if more is None or len(taken) >= _MAX_LINES_OF_A_ROW or isinstance(text, PoisonError):
                held.extendleft(reversed(taken))
                return fields, raw

    def _wrong_width(self, fields: list[str]) -> PoisonError:
        width = len(self.columns)
        if len(fields) < width:
            return PoisonError(
                DeadLetterReason.MISSING_COLUMN,
                f"{len(fields)} of {width} columns: {self.columns[len(fields)]!r} and what "
                "follows is missing",
            )
        return PoisonError(
            DeadLetterReason.INVALID_FIELD, f"{len(fields)} columns where the header has {width}"
        )


def _decoded(raw: bytes) -> str | PoisonError:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        return PoisonError(
            DeadLetterReason.INVALID_FIELD, f"byte {error.start + 1} of the row is not UTF-8"
        )


def _parsed(text: str, delimiter: str) -> tuple[list[str] | PoisonError, bool]:
    """The fields, or why there are none; and whether a quote is open at the end."""
    try:
        # Line ends inside quotes are read only where they are handed over line by line.
        lines = [line + "\n" for line in text.split("\n")]
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        return next(rows), False
    except (csv.Error, StopIteration) as error:
        problem = PoisonError(DeadLetterReason.INVALID_FIELD, f"quoting: {error}")
        return problem, "unexpected end of data" in str(error)
