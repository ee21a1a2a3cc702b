"""`./roas airflow`, without an Airflow: what it refuses, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roas_airflow.cli import app
from roas_contracts.errors import InputError
from roas_local.ports import free_port


@pytest.fixture()
def settings(tmp_path: Path) -> dict[str, str]:
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"admin": "s3cret"}))
    return {
        "ROAS_AIRFLOW_HOME": str(tmp_path),
        "ROAS_AIRFLOW_URL": f"http://127.0.0.1:{free_port().number}",
        "ROAS_AIRFLOW_PASSWORDS": str(passwords),
        "ROAS_AIRFLOW_PYTHON": str(tmp_path / "bin" / "python"),
    }


def airflow(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if "AIRFLOW" not in key}
    return subprocess.run(
        [sys.executable, "-m", "roas_airflow", *arguments],
        env={**clean, "PYTHONPATH": os.pathsep.join(sys.path), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_login_says_where_and_keeps_the_password_unless_asked(settings: dict[str, str]) -> None:
    shown = airflow(settings, "login")
    assert shown.returncode == 0, shown.stderr
    assert settings["ROAS_AIRFLOW_URL"] in shown.stdout
    assert "s3cret" not in shown.stdout + shown.stderr
    asked = airflow(settings, "login", "--show-password", "--json")
    assert json.loads(asked.stdout)["password"] == "s3cret"


def test_airflow_away_is_one_sentence_and_exit_code_3(settings: dict[str, str]) -> None:
    done = airflow(settings, "backfill", "--from", "2014-10-21", "--to", "2014-10-22")
    assert done.returncode == 3
    assert "./roas up --batch" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--from", "2014-10-22", "--to", "2014-10-21"), "is after"),
        (("--from", "2014-10-22"), "--to"),
        (("--from", "yesterday", "--to", "2014-10-21"), "yesterday"),
        (("--from", "2014-02-30", "--to", "2014-10-21"), "2014-02-30"),
    ],
)
def test_nonsensical_days_are_refused(
    settings: dict[str, str], arguments: tuple[str, ...], why: str
) -> None:
    done = CliRunner().invoke(app, ["backfill", *arguments], env=settings)
    # InputError is told in one sentence by whatever runs the app, which leaves with 2.
    assert isinstance(done.exception, InputError) or done.exit_code == 2
    assert why in f"{done.exception}{done.output}"


def test_without_a_stack_it_says_how_to_start_one() -> None:
    for arguments in (["login"], ["dags", "list"]):
        done = airflow({}, *arguments)
        assert done.returncode == 2
        assert "./roas up --batch" in done.stderr


def test_other_verbs_are_airflows_own(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").touch()
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$AIRFLOW_HOME $AIRFLOW_CONFIG $@"\n')
    python.chmod(0o755)
    done = airflow(settings, "dags", "list", "--output", "json")
    assert done.stdout == f"{tmp_path} {tmp_path}/airflow.cfg -m airflow dags list --output json\n"
