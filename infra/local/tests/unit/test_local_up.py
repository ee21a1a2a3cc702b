"""`./roas up` where a stack is running already."""

from pathlib import Path

import pytest

from roas_local import control, up
from roas_local.settings import BATCH_VARIABLE
from roas_local.stack import StackFolders
from roas_local.state import StackPhase, StackState, UnitPhase, UnitState


def running(*names: str) -> StackState:
    units = tuple(UnitState(name, UnitPhase.READY, 0.0, 0, {}, "") for name in names)
    return StackState(StackPhase.READY, "ready", 0.0, None, units=units)


@pytest.mark.parametrize(
    ("wanted", "names", "code", "said"),
    [
        ("false", ("postgres",), 0, "already running"),
        ("true", ("postgres", "airflow-api"), 0, "already running"),
        ("true", ("postgres",), 1, "without the batch: ./roas down"),
    ],
)
def test_a_running_stack_is_not_started_again_and_a_missing_batch_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wanted: str,
    names: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.setenv(BATCH_VARIABLE, wanted)
    monkeypatch.setattr(control, "running_state", lambda _: running(*names))
    assert up.in_background(StackFolders(tmp_path)) == code
    assert said in " ".join(capsys.readouterr().err.split())
