"""The command lines are exactly these: named ranges, named days."""

import pytest

from roas_dags.commands import Command, Commands
from roas_dags.settings import DagSettings

COMMANDS = Commands(DagSettings(batch_command=("python", "-m", "batch"), dbt_command=("dbt.sh",)))
RANGE = {"topic": "ad-clicks", "partition": 1, "from_offset": 5, "to_offset": 9, "records": 4}


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (COMMANDS.plan(), "./roas batch plan --json"),
        (
            COMMANDS.archive(RANGE),
            "./roas batch archive --topic ad-clicks --partition 1 --from 5 --to 9 --json",
        ),
        (COMMANDS.rebuild("2014-10-21"), "./roas batch rebuild --day 2014-10-21 --json"),
        (COMMANDS.stale(), "./roas dbt stale --json"),
        (
            COMMANDS.build(["2014-10-21", "2014-10-22"]),
            "./roas dbt build --days 2014-10-21,2014-10-22 --json",
        ),
        (
            COMMANDS.reconcile("2014-10-21", correct=False),
            "./roas batch reconcile --day 2014-10-21 --json",
        ),
        (
            COMMANDS.reconcile("2014-10-21", correct=True),
            "./roas batch reconcile --day 2014-10-21 --correct --json",
        ),
        (COMMANDS.verify_archive(7), "./roas batch verify-archive --sample 7 --json"),
        (COMMANDS.maintain("vacuum"), "./roas batch maintain vacuum --json"),
    ],
)
def test_a_command_reads_as_a_person_would_type_it(command: Command, typed: str) -> None:
    assert str(command) == typed


def test_what_is_started_is_the_configured_program() -> None:
    assert COMMANDS.plan().argv == ["python", "-m", "batch", "plan", "--json"]
    assert COMMANDS.stale().argv == ["dbt.sh", "stale", "--json"]


def test_the_detail_of_an_incident_is_json() -> None:
    words = COMMANDS.raise_incident("d.t", "no", "2014-10-21", {"b": 1, "a": "x"}).arguments
    assert words[:8] == (
        *("incident", "raise", "--source", "d.t", "--kind", "no", "--subject", "2014-10-21"),
    )
    assert words[words.index("--detail") + 1] == '{"a": "x", "b": 1}'


def test_programs_are_read_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_DAGS_BATCH_COMMAND", '["/venv with space/python", "-m", "roas_batch"]')
    assert DagSettings().batch_command == ("/venv with space/python", "-m", "roas_batch")
