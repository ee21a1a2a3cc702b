"""Pants' background process is stopped, and nothing else is."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from roas_build.daemon import stop

WAIT = "import sys; sys.stdin.read()"

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture()
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process and notes it where Pants notes its daemon."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(argument: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", WAIT, argument], stdin=subprocess.PIPE)
        started.append(process)
        # Until it runs the new program, its command line is this one's.
        while argument not in psutil.Process(process.pid).cmdline():
            assert process.poll() is None
        pid_file = tmp_path / ".pids" / "0123abcd" / "pantsd" / "pid"
        pid_file.parent.mkdir(parents=True)
        pid_file.write_text(str(process.pid), "utf-8")
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_the_daemon_is_stopped(tmp_path: Path, start: Start) -> None:
    daemon = start("pantsd")
    stop(tmp_path)
    assert not psutil.pid_exists(daemon.pid)


def test_a_program_that_took_over_its_number_is_left_alone(tmp_path: Path, start: Start) -> None:
    other = start("unrelated")
    stop(tmp_path)
    assert other.poll() is None


def test_nothing_to_stop(tmp_path: Path) -> None:
    stop(tmp_path)
    assert not list(tmp_path.iterdir())
