"""Keeps the processes of a stack alive: ordered start, restart with backoff, ordered stop.

One thread does everything, one step at a time, and looks at the stop signal between the steps.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from roas_contracts.errors import RoasError
from roas_contracts.service.stop import StopSignal
from roas_local.components import ManagedProcess
from roas_local.components.process import log_tail
from roas_local.ports import require_free
from roas_local.restart import RestartHistory
from roas_local.state import ProcessId, UnitPhase, UnitState

_TICK_S = 0.3
_HEALTH_EVERY_S = 5.0

Say = Callable[[str], None]


class StopRequested(Exception):  # noqa: N818 (nothing went wrong)
    """Somebody asked the stack to stop while it was starting."""


class StartFailedError(RoasError):
    """A process did not become ready in time; the message has the end of its log."""

    exit_code = 3


@dataclass(slots=True)
class Unit:
    """One supervised process. Times are of the monotonic clock unless they say otherwise."""

    process: ManagedProcess
    phase: UnitPhase = UnitPhase.WAITING
    history: RestartHistory = field(default_factory=RestartHistory)
    since: float = 0.0
    since_wall: float = field(default_factory=time.time)
    last_exit: str = ""
    checked: float = 0.0

    def enter(self, phase: UnitPhase) -> None:
        """Change the phase and note when."""
        self.phase = phase
        self.since = time.monotonic()
        self.since_wall = time.time()

    def state(self) -> UnitState:
        """For the state file."""
        ports = {purpose: port.number for purpose, port in self.process.ports().items()}
        return UnitState(
            name=self.process.name,
            phase=self.phase,
            since=self.since_wall,
            restarts=self.history.total,
            ports=ports,
            log=str(self.process.log_path),
            process=ProcessId.of(self.process.pid),
            last_exit=self.last_exit,
        )


class Supervisor:
    """Starts, watches and stops processes; `changed` is called after each change of a unit."""

    def __init__(self, stop: StopSignal, say: Say, changed: Callable[[], None]) -> None:
        self.units: list[Unit] = []
        self._stop = stop
        self._say = say
        self._changed = changed

    def start(self, processes: Sequence[ManagedProcess]) -> None:
        """Start processes together and wait until all are ready.

        Raises:
            StopRequested: the stop signal came.
            StartFailedError: one ended or did not become ready.
            MisconfigurationError: a port is taken.
        """
        for process in processes:
            for purpose, port in process.ports().items():
                require_free(port, purpose)
        units = [Unit(process) for process in processes]
        self.units += units
        for unit in units:
            self._spawn(unit)
            self._raise_if_stopped()
        while waiting := [unit for unit in units if unit.phase is not UnitPhase.READY]:
            for unit in waiting:
                self._check_start(unit)
                self._raise_if_stopped()
            self._stop.wait(_TICK_S)

    def watch(self) -> None:
        """Restart what ends, until the stop signal comes."""
        while not self._stop.wait(_TICK_S):
            for unit in self.units:
                self._tend(unit)

    def stop(self) -> None:
        """Stop everything in the reverse order of starting; nothing is left."""
        for unit in reversed(self.units):
            if unit.phase is not UnitPhase.WAITING:
                unit.process.stop()
                unit.enter(UnitPhase.STOPPED)
                self._changed()

    def _spawn(self, unit: Unit) -> None:
        unit.process.spawn()
        unit.enter(UnitPhase.STARTING)
        self._changed()

    def _check_start(self, unit: Unit) -> None:
        process = unit.process
        if process.ready():
            unit.enter(UnitPhase.READY)
            self._say(f"{process.name} is ready")
            self._changed()
        elif not process.running:
            raise StartFailedError(process.describe_exit())
        elif time.monotonic() - unit.since > process.ready_timeout_s:
            raise StartFailedError(
                f"{process.name} was not ready within {process.ready_timeout_s:.0f} s; the end "
                f"of its log ({process.log_path}):\n{log_tail(process.log_path)}"
            )

    def _tend(self, unit: Unit) -> None:
        """One look at a process that has been ready once."""
        now = time.monotonic()
        process = unit.process
        if unit.phase is UnitPhase.BACKOFF:
            if now - unit.since >= unit.history.delay_s:
                self._respawn(unit)
        elif not process.running:
            self._note_end(unit, now)
        elif unit.phase is UnitPhase.STARTING:
            if process.ready():
                unit.enter(UnitPhase.READY)
                self._say(f"{process.name} is ready again")
                self._changed()
            elif now - unit.since > process.ready_timeout_s:
                # Not killed: it may be waiting for another one, as services do in an outage.
                unit.phase = UnitPhase.UNREADY
                self._say(f"{process.name} is not ready after {process.ready_timeout_s:.0f} s")
                self._changed()
        elif now - unit.checked >= _HEALTH_EVERY_S:
            unit.checked = now
            phase = UnitPhase.READY if process.ready() else UnitPhase.UNREADY
            if phase is not unit.phase and process.running:
                # `since` keeps its meaning: how long the process has been running.
                unit.phase = phase
                self._say(f"{process.name} is {phase}")
                self._changed()

    def _note_end(self, unit: Unit, now: float) -> None:
        process = unit.process
        code = process.exit_code or 0
        unit.last_exit = f"signal {-code}" if code < 0 else f"exit code {code}"
        unit.history = unit.history.after_end(now - unit.since)
        unit.enter(UnitPhase.BACKOFF)
        self._say(
            f"{process.name} ended ({unit.last_exit}); starting it again in "
            f"{unit.history.delay_s:.1f} s"
        )
        self._changed()

    def _respawn(self, unit: Unit) -> None:
        try:
            self._spawn(unit)
        except (RoasError, OSError) as error:
            unit.history = unit.history.after_end(0.0)
            unit.last_exit = str(error)
            unit.enter(UnitPhase.BACKOFF)
            self._say(f"{unit.process.name} can't be started: {error}")
            self._changed()

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StopRequested
