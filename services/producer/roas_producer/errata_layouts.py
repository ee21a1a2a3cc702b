"""How a bad row is written for a person: as what it was, then line, reason and detail, which are
ignored when the corrected file is sent, and for Avazu its time, which is not. One row is one line,
whatever it holds.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from roas_producer.rows import BadRow

ERRATA_COLUMNS: Final = ["roas_line", "roas_reason", "roas_detail"]
"""What an errata file has behind the input's own columns."""

TIME_COLUMN: Final = "roas_event_time"
"""What it has behind those where the row alone does not say when it was: read again."""


class ErrataLayout(Protocol):
    """A format of errata files."""

    def header(self) -> bytes:
        """The first line, with its line end; empty where there is none."""

    def line(self, row: BadRow) -> bytes:
        """A row's line, with its line end."""


class CsvErrata:
    """The input's columns and the errata columns.

    Args:
        columns: the input's; asked for when the file is made.
        delimiter: the input's.
        timed: whether the time that the row would have has to be kept.
    """

    def __init__(
        self, columns: Callable[[], list[str]], delimiter: str = ",", timed: bool = False
    ) -> None:
        self._columns = columns
        self._timed = timed
        self._delimiter = delimiter

    def header(self) -> bytes:
        """The names."""
        further = [TIME_COLUMN] if self._timed else []
        return self._csv([*self._own_columns(), *ERRATA_COLUMNS, *further])

    def line(self, row: BadRow) -> bytes:
        """The row's fields, cut or filled to the header's width."""
        width = len(self._own_columns())
        text = row.raw.decode("utf-8", "backslashreplace").replace("\r", "\\r")
        try:
            fields = next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter), [])
        except csv.Error:
            fields = text.split(self._delimiter)
        fields = (fields + [""] * width)[:width]
        further = [_iso(row.time_ms or 0)] if self._timed else []
        return self._csv([*fields, str(row.line), row.reason.value, row.detail, *further])

    def _own_columns(self) -> list[str]:
        ours = (*ERRATA_COLUMNS, TIME_COLUMN)
        return [name for name in self._columns() if name not in ours]

    def _csv(self, fields: list[str]) -> bytes:
        """One line: line ends inside fields would make it two."""
        buffer = io.StringIO()
        clean = [field.replace("\n", "\\n").replace("\r", "\\r") for field in fields]
        csv.writer(buffer, delimiter=self._delimiter, lineterminator="\n").writerow(clean)
        return buffer.getvalue().encode()


class JsonErrata:
    """The object with the errata columns as further keys; what is no object under ``roas_raw``."""

    def header(self) -> bytes:
        """None."""
        return b""

    def line(self, row: BadRow) -> bytes:
        """One object."""
        text = row.raw.decode("utf-8", "backslashreplace")
        said = dict(zip(ERRATA_COLUMNS, [row.line, row.reason.value, row.detail], strict=True))
        try:
            # Numbers as they are written: a float would cost digits.
            found: Any = json.loads(text, parse_float=_Verbatim, parse_int=_Verbatim)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            return json.dumps({"roas_raw": text, **said}, ensure_ascii=False).encode() + b"\n"
        own = {key: value for key, value in found.items() if key not in said}
        return (_json({**own, **said}) + "\n").encode("utf-8", "backslashreplace")


def _iso(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Verbatim(str):
    """A number's digits."""


def _json(value: Any) -> str:
    if isinstance(value, _Verbatim):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json(str(k))}: {_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
