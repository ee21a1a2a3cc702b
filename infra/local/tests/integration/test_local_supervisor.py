"""The supervisor on real processes: restart, ordered stop, nothing left."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service.stop import StopSignal
from roas_local.components import RedisServer, ServiceProcess
from roas_local.leftovers import sweep
from roas_local.ports import Port, free_port
from roas_local.state import ProcessId, StackPhase, StackState, UnitPhase
from roas_local.supervisor import StartFailedError, StopRequested, Supervisor, Unit


@pytest.fixture()
def stop() -> Iterator[StopSignal]:
    with StopSignal() as signal_:
        yield signal_


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


class Recorder:
    """A supervisor whose lines are kept, watching in a thread."""

    def __init__(self, stop: StopSignal) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(stop, self.lines.append, lambda: None)

    def unit(self, name: str) -> Unit:
        (found,) = (unit for unit in self.supervisor.units if unit.process.name == name)
        return found


def test_a_killed_process_comes_back_and_stop_leaves_nothing(
    tmp_path: Path, stop: StopSignal
) -> None:
    recorder = Recorder(stop)
    supervisor = recorder.supervisor
    supervisor.start([RedisServer(tmp_path)])
    unit = recorder.unit("redis")
    first = unit.process.pid
    assert first is not None
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    try:
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: unit.history.total == 1 and unit.phase is UnitPhase.READY)
        second = unit.process.pid
        assert second not in (None, first)
        assert unit.last_exit == "signal 9"
        assert "redis is ready again" in recorder.lines
    finally:
        stop.set()
        watcher.join()
        supervisor.stop()
    assert unit.process.pid is None
    assert not psutil.pid_exists(second or 0)


def test_a_process_that_can_not_start_again_is_tried_with_growing_delay(
    tmp_path: Path, stop: StopSignal
) -> None:
    recorder = Recorder(stop)
    supervisor = recorder.supervisor
    port = free_port()
    supervisor.start([RedisServer(tmp_path, port=port)])
    unit = recorder.unit("redis")
    watcher = threading.Thread(target=supervisor.watch)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        unit.process.kill()
        thief.bind(("127.0.0.1", port.number))
        thief.listen(1)
        watcher.start()
        wait_for(lambda: unit.history.in_a_row >= 2)
        assert any("is taken" in line for line in recorder.lines)
    try:
        wait_for(lambda: unit.phase is UnitPhase.READY)
    finally:
        stop.set()
        watcher.join()
        supervisor.stop()


def test_a_failed_start_is_explained_and_can_be_stopped(tmp_path: Path, stop: StopSignal) -> None:
    recorder = Recorder(stop)
    redis = RedisServer(tmp_path / "redis")
    broken = ServiceProcess(
        "broken", [tmp_path / "absent"], directory=tmp_path, env={}, health_port=free_port()
    )
    with pytest.raises(StartFailedError, match="broken ended by itself"):
        recorder.supervisor.start([redis, broken])
    recorder.supervisor.stop()
    assert redis.pid is None


def test_a_taken_port_is_found_before_anything_is_started(tmp_path: Path, stop: StopSignal) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        first = RedisServer(tmp_path / "first")
        second = RedisServer(tmp_path / "second", port=Port(other.getsockname()[1], "SETTING"))
        with pytest.raises(MisconfigurationError, match="SETTING"):
            Recorder(stop).supervisor.start([first, second])
        assert first.exit_code is None
        assert first.pid is None


def test_a_stop_while_starting_is_obeyed(tmp_path: Path, stop: StopSignal) -> None:
    recorder = Recorder(stop)
    redis = RedisServer(tmp_path)
    stop.set()
    with pytest.raises(StopRequested):
        recorder.supervisor.start([redis])
    recorder.supervisor.stop()
    assert redis.pid is None


def test_what_a_killed_supervisor_left_is_ended(tmp_path: Path, stop: StopSignal) -> None:
    recorder = Recorder(stop)
    recorder.supervisor.start([RedisServer(tmp_path)])
    unit = recorder.unit("redis")
    state = StackState(StackPhase.READY, "", 0.0, ProcessId(1, 0.0), {}, (unit.state(),))
    said: list[str] = []
    sweep(state, said.append)
    assert unit.process.pid is None
    assert "ending redis" in said[0]
    sweep(state, said.append)
    assert len(said) == 1
