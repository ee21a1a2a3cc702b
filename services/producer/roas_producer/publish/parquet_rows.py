"""Parquet, a batch of rows at a time."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from typing import Any, Final

import polars as pl

from roas_contracts.errors import InputError
from roas_producer.lines import Input
from roas_producer.publish.rows import FileRow

_BATCH_ROWS: Final = 10_000


class ParquetRows:
    """Reads a Parquet file.

    Args:
        source: the file.

    Raises:
        InputError: it is no Parquet file.
    """

    drained = False

    def __init__(self, source: Input) -> None:
        self._source = source
        try:
            self._frame = pl.scan_parquet(source.path or "", glob=False)
            self.columns: list[str] = self._frame.collect_schema().names()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._damaged(error) from error

    def rows(self) -> Iterator[FileRow]:
        """The rows, numbered from 1."""
        number = 0
        try:
            for batch in self._frame.collect_batches(chunk_size=_BATCH_ROWS, lazy=True):
                for cells in batch.iter_rows(named=True):
                    number += 1
                    yield FileRow(number, functools.partial(rendered, cells), cells)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> InputError:
        said = " ".join(str(error).split())[:200]
        return InputError(f"{self._source.name} cannot be read as Parquet: {said}")


def rendered(cells: Mapping[str, Any]) -> bytes:
    """A row as JSON: it has no bytes of its own. Times in ISO 8601, bytes in hexadecimal."""
    return json.dumps(dict(cells), default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):  # A datetime is a date.
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
