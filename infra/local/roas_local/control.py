"""Starting and stopping a stack from outside its supervisor: what `up`, `down` and `demo` call."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from roas_contracts.errors import MisconfigurationError, RoasError
from roas_contracts.service import settings as service_settings
from roas_local.components.process import log_tail
from roas_local.install import Toolchain, require_disk
from roas_local.leftovers import sweep
from roas_local.ports import require_free
from roas_local.runner import exclusive_state, is_held
from roas_local.settings import StackSettings
from roas_local.stack import SERVICES, Stack, StackFolders
from roas_local.state import ProcessId, StackPhase, StackState, read_state

_POLL_S = 0.2
_START_LIMIT_S = 600.0
_STOP_LIMIT_S = 150.0
_NEEDED_TO_RUN_BYTES = 1_000_000_000

Watcher = Callable[[StackState], None]


class StartError(RoasError):
    """The stack did not start; the message is the supervisor's reason."""

    exit_code = 3


def _ignore(_: StackState) -> None:
    pass


def running_state(folders: StackFolders) -> StackState | None:
    """State of the stack that runs in this folder, None if none does."""
    return read_state(folders.state_file) if is_held(folders) else None


def require_running(folders: StackFolders) -> StackState:
    """State of the running stack. Raises StartError if none runs or it is not ready."""
    state = running_state(folders)
    if state is None:
        raise StartError("no stack is running: start one with ./roas up")
    if state.phase is not StackPhase.READY:
        raise StartError(f"the stack is not ready: {state.message}")
    return state


def prepare(folders: StackFolders, toolchain: Toolchain) -> None:
    """Install what is missing, then check disk and ports: the errors a person can act on.

    Raises:
        MisconfigurationError: a stack runs in this folder, a port is taken or the disk is full.
        TransientError: something can't be downloaded.
    """
    if is_held(folders):
        raise MisconfigurationError(f"a stack is already running in {folders.root}")
    _sweep(folders)
    settings = service_settings.load(StackSettings)
    toolchain.everything()
    if settings.batch:
        toolchain.batch()
    require_disk(folders.root, _NEEDED_TO_RUN_BYTES)
    for process in Stack(folders, settings, toolchain).infrastructure():
        for purpose, port in process.ports().items():
            require_free(port, purpose)
    for service in SERVICES:
        require_free(settings.port(f"{service.replace('-', '_')}_health"), f"{service}'s health")
    if settings.batch:
        require_free(settings.port("airflow"), "Airflow's web pages")
        require_free(settings.port("airflow_scheduler_health"), "Airflow's scheduler's health")


def start(folders: StackFolders, toolchain: Toolchain, watcher: Watcher = _ignore) -> StackState:
    """Start a stack in the background and wait until it is ready.

    Args:
        folders: its state folder.
        toolchain: what it runs on; missing pieces are installed first.
        watcher: called with each state on the way.

    Raises:
        MisconfigurationError: a stack is running in this folder, a port is taken, disk full.
        StartError: a process did not become ready; nothing is left running.
        KeyboardInterrupt: passed on after everything has been stopped.
    """
    prepare(folders, toolchain)
    supervisor = _spawn(folders)
    try:
        return _wait_ready(folders, supervisor, watcher)
    except BaseException:
        supervisor.terminate()
        try:
            supervisor.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            supervisor.kill()
        raise


def stop(folders: StackFolders, watcher: Watcher = _ignore) -> bool:
    """Stop the stack and wait until nothing of it is left. Returns False if none was running."""
    if not is_held(folders):
        if folders.root.exists():
            _sweep(folders)
        return False
    deadline = time.monotonic() + _STOP_LIMIT_S
    asked: ProcessId | None = None
    while is_held(folders):
        state = read_state(folders.state_file)
        if state is not None:
            watcher(state)
        # Asked once: the second signal would end the supervisor in the middle of its work.
        if asked is None and state is not None and state.supervisor is not None:
            process = state.supervisor.process()
            if process is not None:
                process.terminate()
                asked = state.supervisor
        if time.monotonic() > deadline:
            if asked is not None and (hanging := asked.process()) is not None:
                hanging.kill()  # its children go with it
            break
        time.sleep(_POLL_S)
    _sweep(folders)
    return True


@contextmanager
def running(
    folders: StackFolders, toolchain: Toolchain, watcher: Watcher = _ignore
) -> Iterator[StackState]:
    """A stack for the length of a `with`: started as by `start`, stopped whatever happens."""
    state = start(folders, toolchain, watcher)
    try:
        yield state
    finally:
        stop(folders)


def _sweep(folders: StackFolders) -> None:
    # Under the lock: the processes of the state file must not be those of a living stack.
    with exclusive_state(folders):
        sweep(read_state(folders.state_file), lambda line: print(line, file=sys.stderr))


def _spawn(folders: StackFolders) -> "subprocess.Popen[bytes]":
    log = folders.log("supervisor")
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "roas_local.runner", str(folders.root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_ready(
    folders: StackFolders, supervisor: "subprocess.Popen[bytes]", watcher: Watcher
) -> StackState:
    deadline = time.monotonic() + _START_LIMIT_S
    while True:
        ended = supervisor.poll() is not None
        state = read_state(folders.state_file)
        # An older file may still be there: only what this supervisor wrote counts.
        writer = state.supervisor if state else None
        if state and writer and writer.pid == supervisor.pid:
            watcher(state)
            if state.phase is StackPhase.READY and not ended:
                return state
            if state.phase is StackPhase.FAILED and ended:
                raise StartError(state.message)
        if ended:
            raise StartError(f"the supervisor ended:\n{log_tail(folders.log('supervisor'))}")
        if time.monotonic() > deadline:
            raise StartError(f"the stack was not ready within {_START_LIMIT_S:.0f} s")
        time.sleep(_POLL_S)
