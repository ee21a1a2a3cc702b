"""Prints the logs of a stack's processes, and goes on printing while they grow."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from roas_contracts.errors import InputError

_POLL_S = 0.3
_TAIL_BYTES = 1 << 20


def find_logs(folder: Path, service: str | None) -> list[Path]:
    """The log of one process, or all. Raises InputError naming what there is."""
    logs = sorted(folder.glob("*.log"))
    if service is None:
        if not logs:
            raise InputError(f"there are no logs in {folder}: nothing was started yet")
        return logs
    chosen = [log for log in logs if log.stem == service]
    if not chosen:
        known = ", ".join(log.stem for log in logs) or "none"
        raise InputError(f"there is no log of {service} in {folder}; there are: {known}")
    return chosen


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, as far as they lie within its last megabyte."""
    if lines <= 0:
        return []
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return log.read().decode("utf-8", "replace").splitlines()[-lines:]


def show(logs: Sequence[Path], lines: int, follow: bool) -> None:
    """Print the ends of logs to stdout, then what is added until interrupted."""
    followers = [_Follower(log) for log in logs] if follow else []
    width = max(len(log.stem) for log in logs)

    def printer(log: Path) -> Callable[[str], None]:
        prefix = f"{log.stem:<{width}} | " if len(logs) > 1 else ""
        return lambda line: print(f"{prefix}{line}", flush=follow)

    for log in logs:
        for line in tail(log, lines):
            printer(log)(line)
    while followers:
        grown = [follower.copy(printer(follower.path)) for follower in followers]
        if not any(grown):
            time.sleep(_POLL_S)
        sys.stdout.flush()


class _Follower:
    """Reads what is appended to a file, also after it was rotated."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._file.seek(0, 2)
        self._partial = b""

    def copy(self, emit: Callable[[str], None]) -> bool:
        """Emit the complete new lines; False if there were none."""
        chunk = self._file.read()
        if not chunk and self._was_replaced(self._file):
            self._file.close()
            self._file = self.path.open("rb")
            chunk = self._file.read()
        *complete, self._partial = (self._partial + chunk).split(b"\n")
        for line in complete:
            emit(line.decode("utf-8", "replace"))
        return bool(complete)

    def _was_replaced(self, file: BinaryIO) -> bool:
        try:
            current = self.path.stat()
        except FileNotFoundError:
            return False
        return current.st_ino != os.fstat(file.fileno()).st_ino
