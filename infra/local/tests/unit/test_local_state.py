"""The state file and how it is shown."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from roas_local.state import (
    ProcessId,
    StackPhase,
    StackState,
    UnitPhase,
    UnitState,
    read_state,
)
from roas_local.status_view import as_json, is_healthy


def unit(phase: UnitPhase = UnitPhase.READY) -> UnitState:
    return UnitState(
        name="kafka",
        phase=phase,
        since=1.0,
        restarts=2,
        ports={"Kafka": 29092},
        log="kafka.log",
        process=ProcessId(1, 2.0),
        last_exit="signal 9",
    )


READY = StackState(
    phase=StackPhase.READY,
    message="ready",
    since=1.0,
    supervisor=ProcessId(3, 4.0),
    environment={"ROAS_CACHE_WRITER_POSTGRES_DSN": "postgresql://roas:secret@127.0.0.1/roas"},
    units=(unit(),),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    READY.write(path)
    assert read_state(path) == READY


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    READY.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"phase": "ready"}', '{"phase": "dancing"}'])
def test_a_broken_file_is_no_state(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    assert read_state(path) is None


def test_json_for_scripts_has_no_secrets() -> None:
    text = as_json(READY)
    assert "secret" not in text
    assert json.loads(text)["units"][0]["restarts"] == 2


@pytest.mark.parametrize(
    ("state", "healthy"),
    [
        (READY, True),
        (None, False),
        (replace(READY, phase=StackPhase.STARTING), False),
        (replace(READY, units=(unit(), unit(UnitPhase.BACKOFF))), False),
        (replace(READY, units=(unit(UnitPhase.UNREADY),)), False),
    ],
)
def test_healthy_means_every_process_is_ready(state: StackState | None, healthy: bool) -> None:
    assert is_healthy(state) is healthy


def test_a_process_is_found_again_only_with_its_start_time() -> None:
    me = ProcessId.of(os.getpid())
    assert me is not None
    assert me.process() is not None
    assert replace(me, created=me.created - 60).process() is None
