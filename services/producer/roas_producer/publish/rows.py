"""The seam between the formats and what is made of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from roas_contracts.errors import PoisonError


class FileRow(NamedTuple):
    """One row of a person's file, not yet looked at."""

    number: int
    """CSV and JSON lines: line, 1-based, the header included. Parquet: row, 1-based."""
    raw: Callable[[], bytes]
    """The row's bytes; for Parquet its JSON rendering."""
    cells: Mapping[str, Any] | PoisonError
    """By column; or why they can't be told apart."""


class RowReader(Protocol):
    """A format."""

    @property
    def columns(self) -> list[str] | None:
        """The file's columns; None where each row has its own (JSON lines)."""

    @property
    def drained(self) -> bool:
        """Whether the next row has to be waited for: what is here should go on."""

    def rows(self) -> Iterator[FileRow]:
        """All rows, from the first.

        Raises:
            InputError: the file is damaged further on; names file and line.
        """
