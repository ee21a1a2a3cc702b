"""A tool as a process of a task: heard to its end, and never outliving its task."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roas_dags import tool

FOREVER = "import time; time.sleep(600)"
PATIENCE_SECONDS = 60.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (path.is_file() and path.read_text().strip()):
        assert time.monotonic() < deadline, f"nothing came into {path}"
        time.sleep(0.02)
    return path.read_text().strip()


def test_answer_progress_and_exit_code_are_told_apart() -> None:
    said: list[str] = []
    code = "import sys; print('half', file=sys.stderr); print('{}'); sys.exit(3)"
    finished = tool.run(python(code), said.append, timeout_seconds=PATIENCE_SECONDS)
    assert (finished.exit_code, finished.stdout, finished.timed_out) == (3, "{}\n", False)
    assert said == ["half"]
    assert finished.tail == ("half",)


def test_more_than_a_pipe_holds_is_read_from_both_streams() -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stderr.write('y\\n' * 150_000)"
    finished = tool.run(python(code), lambda _: None, timeout_seconds=PATIENCE_SECONDS)
    assert (finished.exit_code, len(finished.stdout)) == (0, 300_000)


def test_a_program_that_does_not_exist_fails_with_a_sentence() -> None:
    finished = tool.run(["/no/such/program"], lambda _: None, timeout_seconds=PATIENCE_SECONDS)
    assert finished.exit_code == 127
    assert "/no/such/program can't be started" in finished.tail[-1]


def test_a_tool_learns_its_name_at_the_front_door() -> None:
    code = "import os; print(os.environ['ROAS_PROGRAM'])"
    finished = tool.run(
        python(code), lambda _: None, timeout_seconds=PATIENCE_SECONDS, program="./roas batch"
    )
    assert finished.stdout == "./roas batch\n"


def test_a_timeout_ends_the_tool_and_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\n"
        f"open({str(child)!r}, 'w').write(str(p.pid))\n"
        "time.sleep(600)\n"
    )
    finished = tool.run(python(code), lambda _: None, timeout_seconds=2.0, grace_seconds=1.0)
    assert finished.timed_out
    assert finished.exit_code == -signal.SIGTERM
    wait_gone(int(wait_for_text(child)))


def test_a_tool_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
    finished = tool.run(python(code), lambda _: None, timeout_seconds=2.0, grace_seconds=0.2)
    assert finished.exit_code in (-signal.SIGKILL, -signal.SIGTERM)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's request is Linux's")
def test_a_tool_ends_when_its_task_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    tool_code = f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid())); {FOREVER}"
    task_code = (
        "import sys; from roas_dags import tool\n"
        f"tool.run([sys.executable, '-c', {tool_code!r}], print, timeout_seconds=600)\n"
    )
    path = os.pathsep.join(sys.path)
    task = subprocess.Popen(python(task_code), env={**os.environ, "PYTHONPATH": path})
    try:
        pid = int(wait_for_text(pid_file))
        assert is_alive(pid)
        task.kill()
        wait_gone(pid)
    finally:
        task.kill()
        task.wait()
