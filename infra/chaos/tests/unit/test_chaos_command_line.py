"""`./roas chaos` as a person types it, up to where a stack would be started."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from roas_chaos.cli import app
from roas_chaos.plan import Target
from roas_chaos.witnesses import HOLDERS


def test_a_dry_run_tells_the_plan_of_a_seed() -> None:
    first = CliRunner().invoke(app, ["--dry-run", "--seed", "3", "--kills", "9"])
    again = CliRunner().invoke(app, ["--dry-run", "--seed", "3", "--kills", "9"])
    assert first.exit_code == 0
    assert first.stdout == again.stdout
    assert all(target in first.stdout for target in Target)


def test_a_dry_run_as_json_names_the_seed_that_was_chosen() -> None:
    result = CliRunner().invoke(app, ["--dry-run", "--json"])
    planned = json.loads(result.stdout)
    again = CliRunner().invoke(app, ["--dry-run", "--json", "--seed", str(planned["seed"])])
    assert json.loads(again.stdout) == planned


def test_wrong_usage_is_exit_code_2() -> None:
    for arguments in (["--kills", "0"], ["--seed", "-1"], ["--for", "soon"], ["--frobnicate"]):
        assert CliRunner().invoke(app, arguments).exit_code == 2, arguments


def test_whoever_holds_something_open_can_be_stopped_meanwhile() -> None:
    assert set(HOLDERS.values()) <= set(Target)
