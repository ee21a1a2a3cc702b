"""Runs a tool as a process of a task: its progress in the task's log, its answer as JSON.

Guarantee: when `run` returns or raises, and when the task is killed with kill -9, nothing of the
tool goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from roas_dags import leash

_TAIL_LINES: Final = 20
_GRACE_SECONDS: Final = 10.0

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a tool ended. `exit_code` is minus the signal's number if one ended it."""

    exit_code: int
    stdout: str
    tail: tuple[str, ...]
    timed_out: bool


def run(
    argv: Sequence[str],
    say: Say,
    *,
    timeout_seconds: float,
    program: str | None = None,
    grace_seconds: float = _GRACE_SECONDS,
) -> Finished:
    """Run a program to its end, passing each line of its stderr on.

    Args:
        argv: the program and its arguments.
        say: takes one line of progress.
        timeout_seconds: after this it is asked to end, and its process group is killed a little
            later.
        program: what the program calls itself in its messages.
        grace_seconds: how long it has to end when asked to.
    """
    leashed = [sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid()), "--", *argv]
    environment = os.environ | ({"ROAS_PROGRAM": program} if program else {})
    process = subprocess.Popen(
        leashed,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        errors="replace",
        # A group of its own, so that its children end with it.
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with (
        process.stdout,
        process.stderr,
        _ended_afterwards(process, timeout_seconds, grace_seconds) as timed_out,
    ):
        answer = _Reader(process.stdout)
        for line in process.stderr:
            tail.append(line.rstrip())
            say(line.rstrip())
        stdout = answer.text()
        process.wait()
    return Finished(process.returncode, stdout, tuple(tail), timed_out.is_set())


class _Reader:
    """Reads a pipe to its end beside another one, so that neither fills up."""

    def __init__(self, pipe: IO[str]) -> None:
        self._parts: list[str] = []
        self._thread = threading.Thread(target=lambda: self._parts.append(pipe.read()), daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join()
        return "".join(self._parts)


@contextmanager
def _ended_afterwards(
    process: subprocess.Popen[str], timeout_seconds: float, grace_seconds: float
) -> Iterator[threading.Event]:
    timed_out = threading.Event()

    def on_timeout() -> None:
        timed_out.set()
        _end(process, grace_seconds)

    timer = threading.Timer(timeout_seconds, on_timeout)
    timer.daemon = True
    timer.start()
    try:
        yield timed_out
    finally:
        timer.cancel()
        _end(process, grace_seconds)


def _end(process: subprocess.Popen[str], grace_seconds: float) -> None:
    """End the process, politely first, and then whatever is left of its group."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
