"""Restarting one service: its own settings, and what a person can get wrong."""

import stat
from pathlib import Path

import pytest

from roas_contracts.errors import InputError
from roas_local import control
from roas_local.components import ServiceProcess
from roas_local.components.service import write_own_settings
from roas_local.install import default_toolchain
from roas_local.ports import free_port
from roas_local.service_restart import parse_settings, restart
from roas_local.stack import StackFolders


def test_settings_are_names_and_values() -> None:
    texts = ["ROAS_CONTRACTS_DIR=/old/avro", "ROAS_X=a=b", "ROAS_EMPTY="]
    assert parse_settings(texts) == {
        "ROAS_CONTRACTS_DIR": "/old/avro",
        "ROAS_X": "a=b",
        "ROAS_EMPTY": "",
    }


@pytest.mark.parametrize("text", ["ROAS_X", "=x", "roas x=1", ""])
def test_what_is_no_setting_is_shown(text: str) -> None:
    with pytest.raises(InputError, match=f"NAME=VALUE, not '{text}'"):
        parse_settings([text])


def test_own_settings_win_and_are_read_at_each_start(tmp_path: Path) -> None:
    own = tmp_path / "own" / "one.json"
    service = ServiceProcess(
        "one",
        ["program"],
        directory=tmp_path,
        env={"SHARED": "1", "OTHER": "1"},
        health_port=free_port(),
        own_settings=own,
    )
    assert service.launch().env == {"SHARED": "1", "OTHER": "1"}
    write_own_settings(own, {"OTHER": "2", "NEW": "3"})
    assert service.launch().env == {"SHARED": "1", "OTHER": "2", "NEW": "3"}
    write_own_settings(own, {})
    assert service.launch().env == {"SHARED": "1", "OTHER": "1"}


def test_own_settings_are_their_owners_alone(tmp_path: Path) -> None:
    own = tmp_path / "one.json"
    write_own_settings(own, {"ROAS_LEDGER_POSTGRES_DSN": "secret"})
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_a_service_that_is_none_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'kafka' is no service of the stack: there are ctr-str"):
        restart(StackFolders(tmp_path), "kafka", {}, default_toolchain(), print)


def test_without_a_stack_nothing_is_restarted(tmp_path: Path) -> None:
    folders = StackFolders(tmp_path)
    with pytest.raises(control.StartError, match="no stack is running"):
        restart(folders, "cache-writer", {}, default_toolchain(), print)
    assert not folders.own_settings.exists()
