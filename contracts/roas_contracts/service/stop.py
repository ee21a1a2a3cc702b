"""Stopping in an orderly way on SIGTERM and Ctrl-C."""

import contextlib
import select
import signal
import socket
import time
from types import FrameType, TracebackType
from typing import Self


class StopSignal:
    """Turns SIGTERM and SIGINT into a flag that a service's loop looks at.

        with StopSignal() as stop:
            while not stop.is_set():
                ...
                stop.wait(1.0)

    The second signal has its usual effect, so that an impatient person can end a process whose
    orderly stop hangs. Enter it in the main thread only (Python delivers signals there); `set`,
    `is_set` and `wait` may be called from any thread.
    """

    # A socket pair and not threading.Event: a signal handler that calls Event.set() can deadlock
    # with the very thread it interrupted inside Event.wait().

    def __init__(self) -> None:
        self._stopped = False
        self._read_end, self._write_end = socket.socketpair()
        self._write_end.setblocking(False)
        self._previous = {
            number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def __enter__(self) -> Self:
        for number in self._previous:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()
        self._read_end.close()
        self._write_end.close()

    def set(self) -> None:
        """Ask for the stop, as a signal would."""
        if not self._stopped:
            self._stopped = True
            with contextlib.suppress(OSError):  # Closed: nobody waits any more.
                self._write_end.send(b"\0")

    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopped

    def wait(self, seconds: float) -> bool:
        """Wait until a stop is asked for, at most `seconds`; whether it was."""
        deadline = time.monotonic() + seconds
        while not self._stopped and (left := deadline - time.monotonic()) > 0:
            select.select([self._read_end], [], [], left)
        return self._stopped

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._restore()
        self.set()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
