"""What all components share, shown on the smallest of them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from roas_contracts.errors import MisconfigurationError
from roas_local.components import ComponentError, RedisServer, ServiceProcess
from roas_local.ports import Port, free_port


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = Port(other.getsockname()[1], "ROAS_LOCAL_REDIS_PORT")
        with pytest.raises(MisconfigurationError, match=f"port {port.number} for Redis is taken"):
            RedisServer(tmp_path, port=port).start()


def test_a_process_that_ends_while_starting_shows_its_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('the reason is in the log')"]
    service = ServiceProcess("short", argv, directory=tmp_path, env={}, health_port=free_port())
    with pytest.raises(ComponentError, match="exit code 1(.|\n)*the reason is in the log"):
        service.start()


def test_a_process_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; print('idle', flush=True); time.sleep(600)"]
    service = ServiceProcess("idle", argv, directory=tmp_path, env={}, health_port=free_port())
    service.ready_timeout_s = 1.0
    with pytest.raises(ComponentError, match="idle was not ready within 1 s(.|\n)*idle"):
        service.start()
    assert service.pid is None


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    argv = [tmp_path / "absent"]
    service = ServiceProcess("absent", argv, directory=tmp_path, env={}, health_port=free_port())
    with pytest.raises(ComponentError, match="absent can't be started: No such file"):
        service.start()


def test_children_go_with_their_parent(tmp_path: Path) -> None:
    # A grandchild in a session of its own, which no signal to the group reaches.
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\n"
        "open('child.pid', 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", code]
    service = ServiceProcess("parent", argv, directory=tmp_path, env={}, health_port=free_port())
    service.spawn()
    pid_file = tmp_path / "child.pid"
    assert wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
    child = int(pid_file.read_text())
    service.stop()
    assert wait_for(lambda: gone(child))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_nothing_is_left_when_the_starter_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from roas_local.components import RedisServer\n"
        f"server = RedisServer({str(tmp_path)!r}).start()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env)
    try:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert not gone(pid)
        starter.send_signal(signal.SIGKILL)
        starter.wait(10)
        assert wait_for(lambda: gone(pid))
    finally:
        starter.kill()
        starter.wait()
        if starter.stdout is not None:
            starter.stdout.close()
