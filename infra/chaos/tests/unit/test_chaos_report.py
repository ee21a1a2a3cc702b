"""The report: figures by target, and an exit code that no unrecovered kill slips through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roas_chaos.plan import Aim, Kill, Target
from roas_chaos.report import Outcome, Report


def outcome(target: Target, aim: Aim, proof: str | None, recovered: float | None) -> Outcome:
    return Outcome(Kill(1, target, aim, True, 1.0), 10.0, proof, recovered)


def report(*outcomes: Outcome, ledger_code: int = 0, failure: str | None = None) -> Report:
    ledger: dict[str, Any] = {"differences": [] if ledger_code == 0 else [{}, {}]}
    return Report(7, 3, list(outcomes), [], failure, ledger_code, ledger)


def test_figures_by_target_and_by_aim() -> None:
    found = report(
        outcome(Target.KAFKA, Aim.EVENTS, "Kafka: …", 8.0),
        outcome(Target.KAFKA, Aim.EVENTS, None, 12.0),
        outcome(Target.REDIS, Aim.ANY, None, 2.04),
    ).as_dict()
    assert found["targets"] == {
        "kafka": {"kills": 2, "recovered_p50_seconds": 10.0, "recovered_max_seconds": 12.0},
        "redis": {"kills": 1, "recovered_p50_seconds": 2.0, "recovered_max_seconds": 2.0},
    }
    assert found["proofs"] == {Aim.EVENTS.value: {"aimed": 2, "proved": 1}}
    assert found["exact"]
    assert json.loads(json.dumps(found))["kills"][0]["proof"] == "Kafka: …"


@pytest.mark.parametrize(
    ("ledger_code", "recovered", "failure", "expected"),
    [
        (0, 3.0, None, 0),
        (1, 3.0, None, 1),
        (3, 3.0, None, 3),
        (0, None, None, 1),
        (0, 3.0, "the pipeline does not work within 300 s", 1),
    ],
)
def test_the_exit_code_is_the_ledgers_and_never_fine_when_something_stayed_down(
    ledger_code: int, recovered: float | None, failure: str | None, expected: int
) -> None:
    one = outcome(Target.KAFKA, Aim.ANY, None, recovered)
    assert report(one, ledger_code=ledger_code, failure=failure).exit_code == expected


def test_a_person_is_told_what_did_not_come_back_and_where_the_ledger_differs() -> None:
    said = "\n".join(report(outcome(Target.KAFKA, Aim.ANY, None, None), ledger_code=1).sentences())
    assert "kill 1 (kafka) was not recovered from" in said
    assert "never back" in said
    assert "the ledger differs in 2 places" in said
