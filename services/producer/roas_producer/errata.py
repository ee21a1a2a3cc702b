"""The bad rows as a file beside the input: correct it, and send it.

:mod:`roas_producer.errata_layouts` says what is in it. It is written to disk before the
transaction with its dead letters is committed. After a crash it can therefore only be ahead of
what was committed, and is cut back to that; where it is gone or behind it is written again from
the input.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from roas_contracts.errors import MisconfigurationError
from roas_producer.errata_layouts import ErrataLayout
from roas_producer.rows import BadRow


class Errata:
    """An errata file of one run.

    Args:
        path: where; made when there is a first bad row.
        layout: how rows are written; asked for a header when the file is made.
    """

    def __init__(self, path: Path, layout: ErrataLayout) -> None:
        self.path = path
        self._layout = layout
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
                headers = 1 if self._layout.header() else 0
                for _ in range(headers + committed):
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
                    self._file.write(self._layout.header())
            for row in rows:
                self._file.write(self._layout.line(row))
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

    def _not_writable(self, error: OSError) -> MisconfigurationError:
        return MisconfigurationError(
            f"the errata file {self.path} cannot be written ({error.strerror}): "
            "choose another with --errata FILE"
        )
