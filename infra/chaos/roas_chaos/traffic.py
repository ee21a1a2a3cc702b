"""Keeps traffic flowing: starts the producer again, as whoever runs one would."""

from __future__ import annotations

import time
from typing import Final

import psutil

from roas_contracts import exit_codes
from roas_contracts.errors import RoasError
from roas_local.components.process import log_tail
from roas_local.demo_traffic import TrafficProcess
from roas_local.restart import RestartHistory
from roas_local.state import ProcessId

_HOPELESS: Final = (exit_codes.OK, exit_codes.USAGE)


class TrafficEndedError(RoasError):
    """The producer has nothing more to send, or will never be able to."""


class Traffic:
    """The producer under supervision.

    Args:
        producer: not started yet.
    """

    def __init__(self, producer: TrafficProcess) -> None:
        self.producer = producer
        self.restarts = 0
        self.own_ends: list[str] = []
        """How it ended, where nobody had killed it."""
        self._killed = False
        self._history = RestartHistory()
        self._started_at = 0.0
        self._ended_at: float | None = None

    def start(self) -> None:
        """Start it for the first time. Raises MisconfigurationError when its port is taken."""
        self._spawn()

    def process(self) -> psutil.Process | None:
        """The process while it runs."""
        found = ProcessId.of(self.producer.pid)
        return None if found is None else found.process()

    def about_to_be_killed(self) -> None:
        """Its next end is not its own doing."""
        self._killed = True

    def tend(self) -> None:
        """Start it again when it has ended, after a pause that grows.

        Raises:
            TrafficEndedError: it ended in a way that starting it again can't help.
        """
        if self.producer.running:
            return
        now = time.monotonic()
        if self._ended_at is None:
            self._note_end(now)
        elif now - self._ended_at >= self._history.delay_s:
            self.restarts += 1
            self._spawn()

    def stop(self) -> None:
        """Let it commit and end. Raises TrafficEndedError if it can't."""
        self.producer.stop()
        if self.producer.exit_code != exit_codes.OK:
            raise self._failure()

    def _spawn(self) -> None:
        self.producer.spawn()
        self._started_at, self._ended_at, self._killed = time.monotonic(), None, False

    def _note_end(self, now: float) -> None:
        code = self.producer.exit_code or 0
        if not self._killed:
            if code in _HOPELESS:
                raise self._failure()
            self.own_ends.append(f"signal {-code}" if code < 0 else f"exit code {code}")
        self._history = self._history.after_end(now - self._started_at)
        self._ended_at = now

    def _failure(self) -> TrafficEndedError:
        code = self.producer.exit_code
        return TrafficEndedError(
            f"the producer ended with exit code {code}; the end of its log:\n"
            f"{log_tail(self.producer.log_path)}"
        )
