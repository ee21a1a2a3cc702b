"""The supervisor's process: holds the lock, brings the stack up, watches it, takes it down.

Started in the background by `control.start`, or run in the foreground by `./roas up --foreground`.
"""

import fcntl
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import psutil
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError, RoasError
from roas_contracts.service import settings as service_settings
from roas_contracts.service.stop import StopSignal
from roas_local.install import Toolchain, default_toolchain
from roas_local.leftovers import sweep
from roas_local.provisioning import provision
from roas_local.settings import StackSettings
from roas_local.stack import Stack, StackFolders
from roas_local.state import ProcessId, StackPhase, StackState, read_state
from roas_local.supervisor import StopRequested, Supervisor


class StackRunner:
    """One run of a stack, from the lock to the last stopped process."""

    def __init__(self, folders: StackFolders, toolchain: Toolchain) -> None:
        self._folders = folders
        self._toolchain = toolchain
        self._phase = StackPhase.STARTING
        self._message = "starting"
        self._since = time.time()
        self._me = ProcessId.of(psutil.Process().pid)
        self._environment: dict[str, str] = {}
        self._supervisor: Supervisor | None = None

    def run(self, stop: StopSignal) -> int:
        """Bring the stack up, watch it until `stop`, take it down. Returns the exit code."""
        with exclusive_state(self._folders):
            sweep(read_state(self._folders.state_file), self._say)
            self._supervisor = Supervisor(stop, self._say, self._publish)
            try:
                self._start(self._supervisor)
                self._supervisor.watch()
                self._say("stopping")
                code, phase, last = exit_codes.OK, StackPhase.STOPPED, "stopped"
            except StopRequested:
                self._say("stopping before the start was complete")
                code, phase, last = exit_codes.OK, StackPhase.STOPPED, "stopped"
            except RoasError as error:
                self._say(str(error))
                code, phase, last = error.exit_code, StackPhase.FAILED, str(error)
            except BaseException as error:
                self._take_down(self._supervisor)
                self._enter(StackPhase.FAILED, f"defect in the supervisor: {error!r}")
                raise
            self._take_down(self._supervisor)
            self._enter(phase, last)
        return code

    def _start(self, supervisor: Supervisor) -> None:
        tools = self._toolchain
        self._enter(StackPhase.STARTING, "installing what is missing")
        tools.everything()
        settings = service_settings.load(StackSettings)
        shutil.rmtree(self._folders.own_settings, ignore_errors=True)
        stack = Stack(self._folders, settings, tools)
        self._enter(StackPhase.STARTING, "starting the infrastructure")
        supervisor.start(stack.infrastructure())
        self._environment = stack.environment()
        provision(
            repository=tools.layout.repository,
            python=tools.environment("services"),
            environment=self._environment,
            dsn=stack.postgres.dsn,
            say=self._progress,
        )
        self._progress("starting the services")
        supervisor.start(stack.services())
        if settings.batch:
            self._progress("starting the batch")
            batch = stack.batch()
            batch.prepare()
            supervisor.start(batch.processes)
        self._enter(StackPhase.READY, "ready")
        self._say("the stack is ready")

    def _take_down(self, supervisor: Supervisor) -> None:
        self._enter(StackPhase.STOPPING, "stopping")
        supervisor.stop()

    def _progress(self, message: str) -> None:
        self._say(message)
        self._enter(StackPhase.STARTING, message)

    def _enter(self, phase: StackPhase, message: str) -> None:
        self._phase, self._message = phase, message
        if phase is StackPhase.READY:
            self._since = time.time()
        self._publish()

    def _publish(self) -> None:
        units = self._supervisor.units if self._supervisor else []
        state = StackState(
            phase=self._phase,
            message=self._message,
            since=self._since,
            supervisor=self._me,
            environment=self._environment,
            units=tuple(unit.state() for unit in units),
        )
        state.write(self._folders.state_file)

    def _say(self, line: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{now} {line}", file=sys.stderr, flush=True)


@contextmanager
def exclusive_state(folders: StackFolders) -> Iterator[None]:
    """Hold a state folder: one stack at a time. Raises MisconfigurationError if it is held."""
    folders.root.mkdir(parents=True, exist_ok=True)
    folders.logs.mkdir(exist_ok=True)
    with folders.lock.open("w") as lock:
        try:
            _try_lock(lock)
        except BlockingIOError:
            raise MisconfigurationError(f"a stack is already running in {folders.root}") from None
        yield


# `is_held` takes the lock for an instant: that is not a stack.
@retry(
    retry=retry_if_exception_type(BlockingIOError),
    stop=stop_after_delay(1.0),
    wait=wait_fixed(0.05),
    reraise=True,
)
def _try_lock(lock: TextIO) -> None:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(folders: StackFolders) -> bool:
    """True while a supervisor lives that works on this state folder."""
    try:
        with folders.lock.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def main(argv: Sequence[str]) -> int:
    """`runner.py STATE_FOLDER`: the background supervisor."""
    with StopSignal() as stop:
        try:
            return StackRunner(StackFolders(Path(argv[0])), default_toolchain()).run(stop)
        except RoasError as error:
            print(error, file=sys.stderr)
            return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
