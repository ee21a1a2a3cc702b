"""kill -9 of every process in mid-stream, inside open transactions: nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from roas_chaos.app import Request, run
from roas_chaos.plan import Aim, Target
from roas_chaos.report import Report
from roas_local.ports import free_port
from roas_local.settings import StackSettings

pytestmark = [
    pytest.mark.timeout(1200),
    # The supervisor lives on when the object that started it is gone: Python warns about that.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Each target once, four of them inside each of the four things that can be under way.
SEED = 1200


@pytest.fixture()
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    for name in StackSettings.port_fields():
        monkeypatch.setenv(f"ROAS_LOCAL_{name.upper()}", str(free_port().number))
    request = Request(
        folder=tmp_path / "chaos",
        kills=len(Target),
        seed=SEED,
        seconds=None,
        headless=True,
        keep=True,
        quiet=False,
    )
    return run(request)


def test_every_process_is_killed_once_and_the_ledger_is_exact(report: Report) -> None:
    assert report.failure is None
    assert {outcome.kill.target for outcome in report.outcomes} == set(Target)
    assert report.not_recovered == []
    assert report.ledger is not None
    assert report.ledger["differences"] == []
    assert report.exit_code == 0
    (sent,) = report.ledger["inputs"]
    assert sent["impressions"] > 0

    proved = {o.kill.aim: o.proof for o in report.outcomes if o.proof is not None}
    aimed = {outcome.kill.aim for outcome in report.outcomes} - {Aim.ANY}
    assert aimed == set(Aim) - {Aim.ANY}, "the seed covers every aim"
    assert set(proved) == aimed, "a witness has seen each of them interrupted"
