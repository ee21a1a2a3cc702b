"""Ends what a supervisor left behind when it was killed and could not do it itself."""

from collections.abc import Callable

import psutil

from roas_local.state import StackState

_WAIT_S = 10.0


def sweep(state: StackState | None, say: Callable[[str], None]) -> None:
    """Kill the processes that an older state file names, with all their children.

    Must be called by the holder of the state folder's lock only: the processes are then nobody's.
    On Linux the kernel has ended them already; a process is compared by its start time too, so
    that a number which was given to another process since is left alone.
    """
    if state is None:
        return
    doomed: list[psutil.Process] = []
    for unit in state.units:
        process = unit.process.process() if unit.process else None
        if process is None:
            continue
        say(f"ending {unit.name}, left behind by an earlier supervisor (pid {process.pid})")
        try:
            doomed += [*process.children(recursive=True), process]
        except psutil.NoSuchProcess:
            continue
    for process in doomed:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(doomed, timeout=_WAIT_S)
