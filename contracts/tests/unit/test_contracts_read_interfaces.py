"""What Redis promises is what the layout's code writes; and what a broken promise looks like."""

import json
import shutil
from pathlib import Path

import pytest
from planted_contracts import PlantedContracts
from typer.testing import CliRunner

from roas_contracts.cli import app
from roas_contracts.errors import MisconfigurationError
from roas_contracts.gate import interfaces
from roas_contracts.read_interfaces import broken_promises, load
from roas_contracts.redis_layout import (
    Measures,
    WindowSize,
    WindowTotals,
    encode_totals,
    index_key,
    index_member,
    meta_key,
    window_key,
)
from roas_contracts.subjects import DIRECTORY_VARIABLE

START = 1_413_849_600_000
PROMISED = load("redis_v1").promises


def in_words(key: str) -> str:
    return (
        key.replace("{1m}", "{SIZE}").replace("campaign", "DIMENSION").replace(str(START), "START")
    )


def test_the_keys_are_as_promised() -> None:
    size = WindowSize.ONE_MINUTE
    assert PROMISED["key of a window"] == f"hash {in_words(window_key(size, 'campaign', START))}"
    assert PROMISED["key of the index"] == f"zset {in_words(index_key(size))}"
    assert PROMISED["key of the meta"] == f"hash {in_words(meta_key(size))}"
    assert PROMISED["member of the index"] == in_words(index_member("campaign", START))


def test_a_value_is_as_promised() -> None:
    """Each name of the promised form is replaced by a number of its own."""
    measures = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
    form = PROMISED["value of a window"]
    names = [name for group in form.split("|") for name in group.split(",")]
    numbers = {name: number for number, name in enumerate(names, 1)}
    row = WindowTotals(
        size=WindowSize.ONE_MINUTE,
        dimension="campaign",
        value="1",
        window_start=START,
        totals=Measures(*(numbers[name] for name in measures)),
        late=Measures(*(numbers[f"late_{name}"] for name in measures)),
        correction=Measures(*(numbers[f"correction_{name}"] for name in measures)),
        revision=numbers["revision"],
        first_emitted_at=numbers["first_emitted_at"],
        last_emitted_at=numbers["last_emitted_at"],
        written_at=numbers["written_at"],
    )
    groups = [",".join(str(numbers[n]) for n in group.split(",")) for group in form.split("|")]
    assert encode_totals(row) == "|".join(groups)


def test_what_is_gone_or_another_is_a_broken_promise_and_more_is_none() -> None:
    promised = {"a": "text", "b": "bigint"}
    assert list(broken_promises(promised, {**promised, "c": "text"})) == []
    assert list(broken_promises(promised, {"a": "text"})) == ["b (bigint) is gone"]
    assert list(broken_promises(promised, {"a": "text", "b": "text"})) == ["b: bigint became text"]


def test_a_declaration_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisconfigurationError, match=r"nothing_v1\.yaml: No such file"):
        load("nothing_v1", tmp_path)
    (tmp_path / "wrong_v1.yaml").write_text("promise:\n  a: text\n", "utf-8")
    with pytest.raises(MisconfigurationError, match=r"wrong_v1\.yaml"):
        load("wrong_v1", tmp_path)
    (tmp_path / "none_v1.yaml").write_text("promises: [\n", "utf-8")
    found = {(f.file.name, f.line, f.at, f.what) for f in interfaces.findings(tmp_path, [])}
    there = "there are description, made_by, promises"
    assert {each for each in found if each[0] == "wrong_v1.yaml"} == {
        ("wrong_v1.yaml", 1, "description", "the key is missing"),
        ("wrong_v1.yaml", 1, "made_by", "the key is missing"),
        ("wrong_v1.yaml", 1, "promises", "the key is missing"),
        (
            "wrong_v1.yaml",
            1,
            "promise",
            "there is no such key here: did you mean promises? " f"{there[0].upper()}{there[1:]}",
        ),
    }
    (none,) = (each for each in found if each[0] == "none_v1.yaml")
    assert none[1] == 2
    assert none[3].startswith("not YAML: ")


PROMISES = "description: D.\nmade_by: here\npromises:\n  t.a: text\n"


@pytest.mark.parametrize(
    ("now", "broken"),
    [
        (PROMISES, ["t.b"]),
        (f"{PROMISES}  t.b: text\n", ["t.b"]),
        (f"{PROMISES}  t.b: bigint\n  t.c: text\n", []),
        (None, ["views_v1.yaml"]),
    ],
    ids=["removed", "retyped", "added", "folder-deleted"],
)
def test_the_gate_holds_a_declaration_against_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str | None, broken: list[str]
) -> None:
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    contracts = PlantedContracts(tmp_path)
    folder = contracts.directory.parent / "read_interfaces"
    folder.mkdir()
    file = folder / "views_v1.yaml"
    file.write_text(f"{PROMISES}  t.b: bigint\n", "utf-8")
    contracts.git("init", "-q")
    contracts.commit()
    contracts.git("checkout", "-q", "-b", "branch")
    if now is None:
        shutil.rmtree(folder)
    else:
        file.write_text(now, "utf-8")

    monkeypatch.setenv(DIRECTORY_VARIABLE, str(contracts.directory))
    done = CliRunner().invoke(app, ["check", "--json"])
    found = json.loads(done.stdout)["findings"]

    assert [finding["at"] for finding in found] == broken
    assert {finding["kind"] for finding in found} <= {"broken-promise"}
    assert done.exit_code == (1 if broken else 0)
