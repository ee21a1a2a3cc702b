"""The state file: what the supervisor says about itself, for `status`, `logs` and `down`."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil


class StackPhase(StrEnum):
    """Where a stack is on its way."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class UnitPhase(StrEnum):
    """Where one process is on its way."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    BACKOFF = "backoff"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process id that can't be mistaken for a later process with the same number."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int | None) -> "ProcessId | None":
        """The identity of a running process, None if there is none."""
        try:
            return None if pid is None else cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def process(self) -> psutil.Process | None:
        """The process, if it is still the same one and not merely waiting to be reaped."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1.0
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same and alive else None


@dataclass(frozen=True, slots=True)
class UnitState:
    """One process of the stack. `since` is the wall clock, seconds, of the last change of phase."""

    name: str
    phase: UnitPhase
    since: float
    restarts: int
    ports: dict[str, int]
    log: str
    process: ProcessId | None = None
    last_exit: str = ""


@dataclass(frozen=True, slots=True)
class StackState:
    """The whole stack. `message` says in a sentence what it does or why it failed."""

    phase: StackPhase
    message: str
    since: float
    supervisor: ProcessId | None
    environment: dict[str, str] = field(default_factory=dict)
    units: tuple[UnitState, ...] = ()

    def write(self, path: Path) -> None:
        """Replace the file atomically. Owner only: the environment holds a password."""
        unfinished = path.with_name(f".{path.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n")
        unfinished.replace(path)


def read_state(path: Path) -> StackState | None:
    """The last written state; None if there is none or it is of another version."""
    try:
        raw = json.loads(path.read_text())
        units = tuple(_unit(item) for item in raw["units"])
        return StackState(
            phase=StackPhase(raw["phase"]),
            message=raw["message"],
            since=raw["since"],
            supervisor=_process(raw["supervisor"]),
            environment=raw["environment"],
            units=units,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unit(raw: dict[str, Any]) -> UnitState:
    return UnitState(
        **{**raw, "phase": UnitPhase(raw["phase"]), "process": _process(raw["process"])}
    )


def _process(raw: dict[str, Any] | None) -> ProcessId | None:
    return None if raw is None else ProcessId(**raw)
