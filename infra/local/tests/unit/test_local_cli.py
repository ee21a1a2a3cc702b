"""The front door's own commands where no stack runs."""

import fcntl
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roas_contracts.errors import MisconfigurationError
from roas_local.cli import app
from roas_local.stack import StackFolders


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROAS_HOME", str(tmp_path))
    monkeypatch.setenv("ROAS_REPOSITORY", str(tmp_path / "checkout"))
    return tmp_path


def test_the_status_of_nothing_is_no(home: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"phase": "stopped", "healthy": False, "units": []}


def test_stopping_nothing_is_fine(home: Path) -> None:
    assert CliRunner().invoke(app, ["down"]).exit_code == 0


def test_clean_asks_and_removes_data_but_not_what_was_installed(home: Path) -> None:
    (home / "run" / "data").mkdir(parents=True)
    (home / "toolchain").mkdir()
    refused = CliRunner().invoke(app, ["clean"], input="n\n")
    assert refused.exit_code == 1
    assert (home / "run").exists()
    assert CliRunner().invoke(app, ["clean", "--yes"]).exit_code == 0
    assert not (home / "run").exists()
    assert (home / "toolchain").exists()
    assert CliRunner().invoke(app, ["clean", "--yes", "--all"]).exit_code == 0
    assert not (home / "toolchain").exists()


def test_clean_does_not_touch_a_running_stack(home: Path) -> None:
    folders = StackFolders(home / "run")
    folders.root.mkdir()
    with folders.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = CliRunner().invoke(app, ["clean", "--yes"])
    assert isinstance(result.exception, MisconfigurationError)
    assert folders.root.exists()


@pytest.mark.parametrize(
    "name", ["demo", "up", "down", "status", "restart", "logs", "verify", "clean"]
)
def test_every_command_is_there(name: str) -> None:
    assert name in CliRunner().invoke(app, ["--help"]).stdout
