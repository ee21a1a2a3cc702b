"""What a killed supervisor leaves behind is ended, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from roas_local.leftovers import sweep
from roas_local.state import ProcessId, StackPhase, StackState, UnitPhase, UnitState

# Starts a child that outlives it, says the child's pid, and waits for the end of its input.
LEADER = (
    "import subprocess, sys;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
    " stdout=subprocess.DEVNULL);"
    "print(p.pid, flush=True); sys.stdin.read()"
)


@pytest.fixture()
def leader() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process
        process.kill()


def state_of(process_id: ProcessId) -> StackState:
    unit = UnitState("scheduler", UnitPhase.READY, time.time(), 0, {}, "", process=process_id)
    return StackState(StackPhase.READY, "ready", time.time(), None, units=(unit,))


def child_of(leader: "subprocess.Popen[str]") -> psutil.Process:
    assert leader.stdout is not None
    return psutil.Process(int(leader.stdout.readline()))


def test_orphans_of_a_process_that_is_gone_are_ended(leader: "subprocess.Popen[str]") -> None:
    child = child_of(leader)
    identity = ProcessId.of(leader.pid)
    assert identity is not None
    leader.kill()
    leader.wait()
    assert child.is_running()
    said: list[str] = []
    sweep(state_of(identity), said.append)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert str(child.pid) in said[0]


def test_a_group_that_is_older_than_the_process_is_anothers(
    leader: "subprocess.Popen[str]",
) -> None:
    child = child_of(leader)
    identity = ProcessId.of(leader.pid)
    assert identity is not None
    leader.kill()
    leader.wait()
    later = replace(identity, created=identity.created + 3_600)
    sweep(state_of(later), lambda _: None)
    assert child.is_running()
    os.kill(child.pid, 9)


def test_a_process_that_still_runs_is_ended_with_its_children(
    leader: "subprocess.Popen[str]",
) -> None:
    child = child_of(leader)
    identity = ProcessId.of(leader.pid)
    assert identity is not None
    sweep(state_of(identity), lambda _: None)
    leader.wait(timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_without_a_state_nothing_happens() -> None:
    sweep(None, lambda line: pytest.fail(line))
