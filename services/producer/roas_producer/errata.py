"""The bad rows as a CSV file beside the input: correct it, and replay it.

Its columns are the input's, then line, reason and detail (ignored when it is replayed). It is
written to disk before the transaction with its dead letters is committed. After a crash it can
therefore only be ahead of what was committed, and is cut back to that; where it is gone or behind
it is written again from the input.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from roas_contracts.errors import MisconfigurationError
from roas_producer.kaggle import ERRATA_COLUMNS
from roas_producer.rows import BadRow


class Errata:
    """An errata file of one run.

    Args:
        path: where; made when there is a first bad row.
        columns: the input's columns; asked for when the file is made.
    """

    def __init__(self, path: Path, columns: Callable[[], list[str]]) -> None:
        self.path = path
        self._columns = columns
        self._file: IO[bytes] | None = None

    def resume(self, committed: int) -> bool:
        """Cut the file back to the rows that were committed.

        A file from another run of the input is kept as ``<name>.previous``.

        Returns:
            False where the file has fewer: then it was emptied, and every committed row has to
            be added again before the others.

        Raises:
            MisconfigurationError: the file cannot be written.
        """
        try:
            if committed == 0:
                if self.path.exists():  # It may hold a person's corrections.
                    self.path.replace(self.path.with_name(self.path.name + ".previous"))
                return True
            if not self.path.exists():
                return False
            with self.path.open("r+b") as file:
                file.readline()
                for _ in range(committed):
                    if not file.readline().endswith(b"\n"):
                        file.truncate(0)
                        return False
                file.truncate(file.tell())
            return True
        except OSError as error:
            raise self._not_writable(error) from error

    def add(self, rows: Iterable[BadRow], sync: bool = True) -> None:
        """Append rows; with ``sync`` they are on disk when this returns.

        Raises:
            MisconfigurationError: the file cannot be written.
        """
        try:
            if self._file is None:
                self._file = self.path.open("ab")
                if self._file.tell() == 0:
                    self._file.write(_csv([*self._kaggle_columns(), *ERRATA_COLUMNS]))
            width = len(self._kaggle_columns())
            for row in rows:
                self._file.write(_line(row, width))
            if sync:
                self._file.flush()
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._not_writable(error) from error

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _kaggle_columns(self) -> list[str]:
        return [name for name in self._columns() if name not in ERRATA_COLUMNS]

    def _not_writable(self, error: OSError) -> MisconfigurationError:
        return MisconfigurationError(
            f"the errata file {self.path} cannot be written ({error.strerror}): "
            "choose another with --errata FILE"
        )


def _line(row: BadRow, width: int) -> bytes:
    text = row.raw.decode("utf-8", "backslashreplace").replace("\r", "\\r")
    try:
        fields = next(csv.reader([text]), [])
    except csv.Error:
        fields = text.split(",")
    fields = (fields + [""] * width)[:width]
    return _csv([*fields, str(row.line), row.reason.value, row.detail])


def _csv(fields: list[str]) -> bytes:
    """One line: line ends inside fields would make it two."""
    buffer = io.StringIO()
    clean = [field.replace("\n", "\\n").replace("\r", "\\r") for field in fields]
    csv.writer(buffer, lineterminator="\n").writerow(clean)
    return buffer.getvalue().encode()
