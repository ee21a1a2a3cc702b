"""Contracts for a reader: differences, pages, and what a registry holds against what git holds."""

import json
from pathlib import Path

import pytest
from planted_contracts import PlantedContracts, field_of, without
from typer.testing import CliRunner

from roas_contracts.cli import app
from roas_contracts.errors import InputError
from roas_contracts.gate import pages
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


@pytest.fixture()
def checkout(tmp_path: Path) -> Path:
    """Code of one part, and a folder for pages."""
    sources = tmp_path / "services" / "producer"
    (sources / "tests").mkdir(parents=True)
    (sources / "code.py").write_text("event.cost_micros", "utf-8")
    (sources / "Code.java").write_text("long bannerPos;", "utf-8")
    (sources / "tests" / "test_code.py").write_text("event.currency", "utf-8")
    (tmp_path / "pages").mkdir()
    return tmp_path


def test_pages_are_written_and_a_stale_one_is_named(
    contracts: PlantedContracts, checkout: Path
) -> None:
    out = checkout / "pages"
    arguments = ("docs", "--out", str(out), "--root", str(checkout))
    assert run(*arguments, "--check")[0] == 1
    assert run(*arguments) == (0, f"2 of 2 pages written to {out}\n")
    assert run(*arguments, "--check") == (0, "")
    page = out / "ad-clicks.md"
    text = page.read_text("utf-8")
    assert "| `cost_micros` | long | millionths of the currency | v1 |" in text
    assert "- changed `event_id`: doc:" in text
    page.write_text(text.replace("| `cost_micros` |", "| `cost` |", 1), "utf-8")
    (out / "gone.md").write_text(f"{pages.NOTE}\nof a topic that is gone", "utf-8")
    code, said = run(*arguments, "--check")
    assert (code, said.count("is out of date")) == (1, 2)
    run(*arguments)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "ad-clicks.md"]
    assert page.read_text("utf-8") == text


def test_a_page_is_not_out_of_date_because_code_changed(
    contracts: PlantedContracts, checkout: Path
) -> None:
    arguments = ("docs", "--out", str(checkout / "pages"), "--root", str(checkout))
    run(*arguments)
    (checkout / "services" / "producer" / "more.py").write_text("event.currency", "utf-8")
    assert run(*arguments, "--check") == (0, "")
    assert run(*arguments)[1].startswith("1 of 2 pages written")
    assert "| `currency` | producer |" in (checkout / "pages" / "ad-clicks.md").read_text("utf-8")


def test_pages_of_other_people_are_neither_deleted_nor_overwritten(
    contracts: PlantedContracts, checkout: Path
) -> None:
    out = checkout / "pages"
    arguments = ("docs", "--out", str(out), "--root", str(checkout))
    (out / "guide.md").write_text("by hand", "utf-8")
    run(*arguments)
    assert run(*arguments, "--check")[0] == 0
    assert (out / "guide.md").read_text("utf-8") == "by hand"
    (out / "README.md").write_text("by hand", "utf-8")
    code, said = run(*arguments)
    assert (code, said) == (
        2,
        f"{out / 'README.md'}: not written by this command, so it is not overwritten",
    )


def test_without_a_checkout_there_are_no_pages(contracts: PlantedContracts, tmp_path: Path) -> None:
    code, said = run("docs", "--out", str(tmp_path / "pages"), "--root", str(tmp_path))
    assert code == 2
    assert "no checkout, for it has none of services/producer" in said
    assert not (tmp_path / "pages").exists()


def test_a_use_is_a_word_in_the_sources_but_not_in_tests(checkout: Path) -> None:
    words = words_of_parts(checkout)
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


def test_a_schema_that_a_registry_wrote_anew_is_the_same(contracts: PlantedContracts) -> None:
    subject = load_folder(contracts.folder)
    schema = contracts.schema()
    anew = {key: schema[key] for key in reversed(schema) if key not in ("name", "namespace")}
    anew["name"] = f"{schema['namespace']}.{schema['name']}"
    field_of(anew, "event_id")["type"] = {"type": "string"}
    field_of(anew, "source")["type"]["namespace"] = schema["namespace"]

    def said() -> list[str]:
        return list(contradictions(subject, HeldSubject({1: json.dumps(anew)}, None)))

    assert said() == []
    field_of(anew, "event_id")["doc"] = "Another."
    assert said() == ["ad-clicks-value v1: the registry holds another schema"]
    anew["fields"] = "none"
    assert said() == ["ad-clicks-value v1: the registry holds another schema"]
