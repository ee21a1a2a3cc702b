"""Contracts for a reader: differences, pages, and what a registry holds against what git holds."""

from pathlib import Path

import pytest
from planted_contracts import PlantedContracts, field_of, without
from typer.testing import CliRunner

from roas_contracts.cli import app
from roas_contracts.errors import InputError
from roas_contracts.gate.differences import changes
from roas_contracts.gate.field_uses import users, words_of_parts
from roas_contracts.gate.registry_comparison import contradictions, differences
from roas_contracts.gate.schema_tree import tree_of
from roas_contracts.registry import HeldSubject
from roas_contracts.subjects import DIRECTORY_VARIABLE, load_folder


@pytest.fixture()
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedContracts:
    planted = PlantedContracts(tmp_path)
    planted.add_version(lambda schema: field_of(schema, "event_id").update({"doc": "Its id."}))
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(planted.directory))
    return planted


def test_a_difference_is_added_removed_or_changed(contracts: PlantedContracts) -> None:
    old, new = contracts.schema(), contracts.schema()
    without(new, "currency")
    field_of(new, "banner_pos")["type"] = ["null", "int"]
    new["fields"].append({"name": "more", "type": "string", "default": "", "doc": "M."})
    assert [(each.how, each.at) for each in changes(tree_of(old), tree_of(new))] == [
        ("changed", "banner_pos"),
        ("added", "more"),
        ("removed", "currency"),
    ]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, InputError):
        return done.exception.exit_code, str(done.exception)
    return done.exit_code, done.stdout


def test_the_command_line_shows_a_version_and_a_difference(contracts: PlantedContracts) -> None:
    code, out = run("diff", "ad-clicks")
    assert (code, out.splitlines()[0]) == (0, "ad-clicks, v1 to v2: 1 change")
    assert '"Click id." became "Its id."' in out
    assert out.splitlines()[-1] == "ad-clicks v2: producers or consumers may roll out first"
    assert run("diff", "ad-clicks", "1", "1")[1] == "ad-clicks, v1 to v1: no changes\n"
    assert (
        run("show", "ad-clicks", "--version", "1", "--json")[1].strip()
        == (contracts.folder / "v1.avsc").read_text("utf-8").strip()
    )
    assert run("show", "ad-clicks", "--version", "7") == (
        2,
        "ad-clicks has no version 7: the newest is 2",
    )
    assert run("show", "ad-clikcs")[0] == 2


def test_pages_are_written_and_a_stale_one_is_named(
    contracts: PlantedContracts, tmp_path: Path
) -> None:
    out = tmp_path / "pages"
    arguments = ("docs", "--out", str(out), "--root", str(tmp_path))
    assert run(*arguments, "--check")[0] == 1
    assert run(*arguments) == (0, f"2 of 2 pages written to {out}\n")
    assert run(*arguments, "--check") == (0, "")
    text = (out / "ad-clicks.md").read_text("utf-8")
    assert "| `cost_micros` | long | millionths of the currency | v1 |" in text
    assert "- changed `event_id`: doc:" in text
    (out / "ad-clicks.md").write_text("edited", "utf-8")
    (out / "gone.md").write_text("of a topic that is gone", "utf-8")
    code, said = run(*arguments, "--check")
    assert (code, said.count("is out of date")) == (1, 2)
    run(*arguments)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "ad-clicks.md"]


def test_a_use_is_a_word_in_the_sources_but_not_in_tests(tmp_path: Path) -> None:
    sources = tmp_path / "services" / "producer"
    (sources / "tests").mkdir(parents=True)
    (sources / "code.py").write_text("event.cost_micros", "utf-8")
    (sources / "Code.java").write_text("long bannerPos;", "utf-8")
    (sources / "tests" / "test_code.py").write_text("event.currency", "utf-8")
    words = words_of_parts(tmp_path)
    for field, used in (("cost_micros", True), ("banner_pos", True), ("currency", False)):
        assert users(field, ["producer", "batch"], words) == (["producer"] if used else [])


def test_every_difference_to_a_registry_is_named(contracts: PlantedContracts) -> None:
    subject = load_folder(contracts.folder)
    texts = {version.number: version.text for version in subject.versions}
    mode = "FULL_TRANSITIVE"

    def said(versions: dict[int, str], mode: str | None = mode) -> list[str]:
        held = {"ad-clicks-value": HeldSubject(versions, mode)} if versions else {}
        return list(differences([subject], held, all_of_them=True))

    assert said(texts) == []
    assert said({}) == ["ad-clicks-value: the registry does not have it"]
    assert said({1: texts[1]}) == ["ad-clicks-value v2: the registry does not have it"]
    assert said({**texts, 3: texts[1]}) == ["ad-clicks-value v3: the registry has it, git does not"]
    assert said({1: texts[2], 2: texts[1]}) == [
        "ad-clicks-value v1: the registry holds another schema",
        "ad-clicks-value v2: the registry holds another schema",
    ]
    assert said({2: texts[2]}) == ["ad-clicks-value v1: the registry does not have it, but has v2"]
    assert said(texts, None) == [
        "ad-clicks-value: the registry's mode is its default, subject.yaml says FULL_TRANSITIVE"
    ]
    other = {"ad-clicks-value": HeldSubject(texts, mode), "x-value": HeldSubject({1: "{}"}, None)}
    assert list(differences([subject], other, all_of_them=True)) == [
        "x-value: the registry has it, git does not"
    ]
    assert list(differences([subject], other, all_of_them=False)) == []


def test_a_registry_that_is_ahead_or_behind_is_no_contradiction(
    contracts: PlantedContracts,
) -> None:
    subject = load_folder(contracts.folder)
    first, second = (version.text for version in subject.versions)
    for versions in ({}, {1: first}, {1: first, 2: second, 3: first}):
        assert list(contradictions(subject, HeldSubject(versions, None))) == []
    assert list(contradictions(subject, HeldSubject({1: second}, None)))
