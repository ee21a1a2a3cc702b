"""Ends what a supervisor left behind when it was killed and could not do it itself."""

import os
from collections.abc import Callable, Iterator

import psutil

from roas_local.state import ProcessId, StackState

_WAIT_S = 10.0


def sweep(state: StackState | None, say: Callable[[str], None]) -> None:
    """Kill the processes that an older state file names, with all their children.

    Must be called by the holder of the state folder's lock only: the processes are then nobody's.
    On Linux the kernel has ended them already, but not what they had started themselves, such as
    Airflow's workers. A process is compared by its start time too, so that a number which was
    given to another process since is left alone.
    """
    if state is None:
        return
    doomed: list[psutil.Process] = []
    for unit in state.units:
        if unit.process is None:
            continue
        left = list(_family(unit.process))
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            say(f"ending {unit.name}, left behind by an earlier supervisor (pid {pids})")
        doomed += left
    for process in doomed:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(doomed, timeout=_WAIT_S)


def _family(leader: ProcessId) -> Iterator[psutil.Process]:
    """What is left of a component: its process with all children, or its orphans."""
    process = leader.process()
    if process is not None:
        try:
            yield from [*process.children(recursive=True), process]
        except psutil.NoSuchProcess:
            return
    # Each component leads a group of its own. While it has members its number is given to nobody,
    # so an older process under that number means that the group is another's.
    elif not psutil.pid_exists(leader.pid):
        yield from (orphan for orphan in psutil.process_iter() if _is_orphan(orphan, leader))


def _is_orphan(process: psutil.Process, leader: ProcessId) -> bool:
    try:
        in_group = os.getpgid(process.pid) == leader.pid
        return in_group and process.create_time() >= leader.created - 1.0
    except (psutil.Error, ProcessLookupError):
        return False
