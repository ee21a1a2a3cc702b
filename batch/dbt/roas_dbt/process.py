"""Runs dbt as a child process: its output passed on, its end bounded, one at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from roas_contracts.errors import MisconfigurationError, TransientError

_KEPT_LINES = 10
_STOP_SECONDS = 30.0


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Hold the lock of a state folder; gives its file descriptor.

    A child that inherits it holds the lock too: a build goes on being the only one when the process
    that started it is killed.

    Raises:
        MisconfigurationError: the folder can't be written.
        TransientError: another build holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "lock").open("w")
    except OSError as error:
        raise MisconfigurationError(
            f"ROAS_DBT_STATE {folder} can't be written: {error.strerror}"
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TransientError(f"another build is running in {folder}") from None
        yield handle.fileno()


def run(command: Sequence[str], env: Mapping[str, str], keep_open: int) -> tuple[int, list[str]]:
    """Run a command to its end, its output on stderr; its exit code and the last lines.

    SIGTERM and Ctrl-C are passed on; then it has half a minute to end.

    Args:
        command: program and arguments.
        env: the whole environment.
        keep_open: a file descriptor that it inherits.

    Raises:
        MisconfigurationError: the program can't be started.
    """
    try:
        child = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(keep_open,),
        )
    except OSError as error:
        raise MisconfigurationError(
            f"{command[0]} (ROAS_DBT_PROGRAM) can't be started: {error.strerror}"
        ) from None
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    with _passed_on(child):
        assert child.stdout is not None
        for line in child.stdout:
            sys.stderr.write(line)
            last.append(line.rstrip())
        return child.wait(), [line for line in last if line]


def become(command: Sequence[str], env: Mapping[str, str]) -> None:
    """Turn into a command. Raises MisconfigurationError if it can't be started."""
    sys.stdout.flush()
    try:
        os.execve(command[0], list(command), dict(env))  # noqa: S606
    except OSError as error:
        raise MisconfigurationError(f"{command[0]} can't be started: {error.strerror}") from None


@contextmanager
def _passed_on(child: subprocess.Popen[str]) -> Iterator[None]:
    """Within it, SIGTERM ends this process by way of the child's end."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if child.poll() is None:
            # dbt cancels its queries at SIGINT; at SIGTERM it would leave them running.
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        assert child.stdout is not None
        child.stdout.close()
