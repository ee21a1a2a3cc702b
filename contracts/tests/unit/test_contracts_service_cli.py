"""A command line never shows a traceback, and leaves with the code that says what happened."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from roas_contracts import exit_codes

APP = """
import sys, typer
from roas_contracts import errors, exit_codes
from roas_contracts.service import logs
from roas_contracts.service.cli import run
app = typer.Typer()

@app.command()
def main(how: str, number: int = 0):
    logs.configure("probe", "1.2.3")
    if how == "wait":
        print("waiting", flush=True)
        import time
        time.sleep(60)
    if how == "no":
        raise typer.Exit(exit_codes.NO)
    if how == "defect":
        dsn = "postgresql://roas:pass" + "word@db"
        raise RuntimeError(f"secret {len(dsn)}")
    if how != "ok":
        raise getattr(errors, how)("one clear sentence")
    print("data")

run(app)
"""


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", APP, *arguments],
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def test_fine() -> None:
    done = call("ok")
    assert (done.returncode, done.stdout, done.stderr) == (exit_codes.OK, "data\n", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("TransientError", exit_codes.UNAVAILABLE),
        ("MisconfigurationError", exit_codes.USAGE),
        ("InputError", exit_codes.USAGE),
        ("FencedError", exit_codes.NO),
    ],
)
def test_an_error_of_ours_is_one_sentence(error: str, code: int) -> None:
    done = call(error)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr == "Error: one clear sentence\n"


def test_the_answer_no() -> None:
    assert call("no").returncode == exit_codes.NO


@pytest.mark.parametrize("arguments", [("ok", "--number", "x"), ("ok", "--nope"), ()])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert done.returncode == exit_codes.USAGE
    assert "Traceback" not in done.stderr


def test_help_and_usage_call_it_what_the_front_door_calls_it() -> None:
    assert "Usage: ./roas probe " in call("--help", ROAS_PROGRAM="./roas probe").stdout
    assert "Usage: ./roas probe " in call("--nope", ROAS_PROGRAM="./roas probe").stderr


def test_a_defect_has_an_id_in_the_log_and_in_the_sentence() -> None:
    done = call("defect")
    assert done.returncode == exit_codes.INTERNAL
    assert done.stdout == ""
    log, sentence = done.stderr.splitlines()
    incident = sentence.rpartition(" ")[2]
    assert sentence.startswith("Error: this is a defect (RuntimeError)")
    assert "secret" not in sentence
    assert f'"incident": "{incident}"' in log
    assert "secret" in log
    assert "password@db" not in log, "local variables may hold passwords"


def test_control_c_is_quiet() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APP, "wait"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == exit_codes.INTERRUPTED
    assert errors == ""


def test_a_missing_stdout_reader_is_no_defect(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(APP.replace('print("data")', 'print("data\\n" * 100_000)'), "utf-8")
    with subprocess.Popen(
        [sys.executable, script, "ok"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"data\n"
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert b"Traceback" not in errors
    assert b"defect" not in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is made of /dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", APP, "ok"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert done.returncode == exit_codes.USAGE
    assert done.stderr == "Error: the output can't be written: No space left on device\n"
