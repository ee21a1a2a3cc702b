"""A published version is immutable: against git, and without it against the fingerprints."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from planted_contracts import PlantedContracts, field_of
from typer.testing import CliRunner

from roas_contracts.cli import app
from roas_contracts.errors import InputError
from roas_contracts.gate import published
from roas_contracts.gate.base import find_bases
from roas_contracts.gate.checking import check
from roas_contracts.subjects import DIRECTORY_VARIABLE


@pytest.fixture()
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedContracts:
    """Published on main, with a branch checked out."""
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    planted = PlantedContracts(tmp_path)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(planted.directory))
    planted.git("init", "-q")
    planted.commit()
    planted.git("checkout", "-q", "-b", "branch")
    return planted


def edit(contracts: PlantedContracts) -> None:
    path = contracts.folder / "v1.avsc"
    path.write_text(path.read_text("utf-8").replace("Click id.", "Id of a click."), "utf-8")


def delete(contracts: PlantedContracts) -> None:
    (contracts.folder / "v1.avsc").unlink()


def rename(contracts: PlantedContracts) -> None:
    (contracts.folder / "v1.avsc").rename(contracts.folder / "v2.avsc")


def rename_out_of_the_pattern(contracts: PlantedContracts) -> None:
    (contracts.folder / "v1.avsc").rename(contracts.folder / "v1.avsc.old")


def move_the_subject(contracts: PlantedContracts) -> None:
    contracts.folder.rename(contracts.directory / "ad-taps")


def delete_the_subject(contracts: PlantedContracts) -> None:
    shutil.copytree(contracts.folder, contracts.directory / "other")
    text = (contracts.folder / "v1.avsc").read_text("utf-8")
    shutil.rmtree(contracts.folder)
    (contracts.directory / "other" / "v1.avsc").write_text(text.replace("AdClick", "AdTap"))


CHANGES = [
    (edit, "edited-version", "was edited", 10),
    (delete, "deleted-version", "is gone", 1),
    (rename, "renamed-version", "renamed to ad-clicks/v2.avsc", 1),
    (rename_out_of_the_pattern, "renamed-version", "renamed to ad-clicks/v1.avsc.old", 1),
    (move_the_subject, "renamed-version", "moved to ad-taps/v1.avsc", 1),
    (delete_the_subject, "deleted-version", "is gone", 1),
]
Plant = Callable[[PlantedContracts], None]


@pytest.mark.parametrize(("plant", "kind", "said", "line"), CHANGES)
@pytest.mark.parametrize("commits", [False, True], ids=["uncommitted", "committed"])
def test_a_changed_version_is_found_by_git_even_when_its_fingerprint_is_changed_too(
    contracts: PlantedContracts, plant: Plant, kind: str, said: str, line: int, commits: bool
) -> None:
    plant(contracts)
    contracts.publish()
    if commits:
        contracts.commit()
    bases, _ = find_bases(contracts.directory, None)
    (finding,) = (f for f in check(contracts.directory, bases).findings if f.kind == kind)
    assert said in finding.what
    assert finding.topic == "ad-clicks"
    assert finding.line == line


@pytest.mark.parametrize(("plant", "kind", "said", "line"), CHANGES)
def test_a_changed_version_is_found_without_git_by_its_fingerprint(
    contracts: PlantedContracts, plant: Plant, kind: str, said: str, line: int
) -> None:
    plant(contracts)
    (finding,) = (f for f in contracts.findings() if f.kind == kind)
    assert said in finding.what


def test_a_fingerprint_that_was_edited_is_found_by_git(contracts: PlantedContracts) -> None:
    path = contracts.directory / published.FILE_NAME
    path.write_text("0" * 64 + "  ad-clicks/v1.avsc\n", "utf-8")
    bases, _ = find_bases(contracts.directory, None)
    (finding,) = check(contracts.directory, bases).findings
    assert finding.kind == "edited-fingerprint"


def test_the_last_commit_on_main_is_looked_at_too(contracts: PlantedContracts) -> None:
    contracts.git("checkout", "-q", "main")
    edit(contracts)
    contracts.publish()
    contracts.commit("sneaked in")
    bases, notes = find_bases(contracts.directory, None)
    assert len(bases) == 2
    assert "edited-version" in {f.kind for f in check(contracts.directory, bases).findings}


def test_what_main_got_after_the_branch_left_is_not_missing_on_it(
    contracts: PlantedContracts,
) -> None:
    contracts.git("checkout", "-q", "main")
    contracts.add_version(lambda schema: None)
    contracts.commit("v2")
    contracts.git("checkout", "-q", "branch")
    for base in (None, "main"):
        bases, _ = find_bases(contracts.directory, base)
        assert check(contracts.directory, bases).findings == ()


def test_a_base_that_is_not_there_is_named(contracts: PlantedContracts, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--base nowhere: git knows no such"):
        find_bases(contracts.directory, "nowhere")
    with pytest.raises(InputError, match="--base -x: git knows no such"):
        find_bases(contracts.directory, "-x")
    contracts.git("branch", "-m", "main", "trunk")
    bases, notes = find_bases(contracts.directory, None)
    assert not bases
    assert "name one with --base" in notes[0]


def test_without_git_the_report_says_what_it_was_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    planted = PlantedContracts(tmp_path)
    bases, notes = find_bases(planted.directory, None)
    assert not bases
    assert "not in a git checkout" in notes[0]
    with pytest.raises(InputError, match="is in no git checkout"):
        find_bases(planted.directory, "main")


@pytest.mark.parametrize(
    ("old", "new", "lint", "at"),
    [
        ("FULL_TRANSITIVE", "BACKWARD_TRANSITIVE", "compatibility-weakened", "compatibility"),
        ("FULL_TRANSITIVE", "FULL", "compatibility-weakened", "compatibility"),
        ("partitions: 2", "partitions: 3", "partitions-changed", "topic.partitions"),
        ("policy: delete", "policy: compact", "cleanup-policy-changed", "topic.cleanup_policy"),
        (
            "  - file: examples/external-free.json\n    versions: [1]\n",
            "",
            "example-removed",
            "examples/external-free.json",
        ),
    ],
)
def test_a_promise_that_is_taken_back_needs_a_waiver(
    contracts: PlantedContracts, old: str, new: str, lint: str, at: str
) -> None:
    contracts.edit_subject(old, new)
    if lint == "example-removed":
        (contracts.folder / at).unlink()
    bases, _ = find_bases(contracts.directory, None)
    (finding,) = check(contracts.directory, bases).findings
    assert (finding.kind, finding.at) == (lint, at)
    with (contracts.folder / "subject.yaml").open("a", encoding="utf-8") as file:
        file.write(
            f"waivers:\n  - lint: {lint}\n    at: {at}\n    since: 1\n    reason: It is a test.\n"
        )
    assert check(contracts.directory, bases).findings == ()
    contracts.commit()
    contracts.git("checkout", "-q", "-b", "next")
    contracts.git("branch", "-f", "main", "next")
    bases, _ = find_bases(contracts.directory, None)
    assert check(contracts.directory, bases[:1]).findings == ()


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_publishing_notes_new_versions_and_only_those(contracts: PlantedContracts) -> None:
    contracts.add_version(lambda schema: None)
    lines = (contracts.directory / published.FILE_NAME).read_text("utf-8").splitlines()
    (contracts.directory / published.FILE_NAME).write_text(lines[0] + "\n", "utf-8")
    assert contracts.kinds() == {"unpublished-version"}

    assert run("publish") == (0, "published ad-clicks/v2.avsc\n", "")
    assert run("publish") == (0, "nothing new to publish\n", "")
    assert contracts.findings() == []


def test_a_draft_may_be_published_again_until_it_is_on_main(contracts: PlantedContracts) -> None:
    contracts.add_version(lambda schema: None)
    schema = contracts.schema(2)
    field_of(schema, "event_id")["doc"] = "Better words."
    contracts.write_version(2, schema)
    assert contracts.kinds() == {"edited-version"}
    assert "run `./roas contracts publish` again" in " ".join(run("check")[1].split())
    assert run("publish")[:2] == (0, "published ad-clicks/v2.avsc\n")
    contracts.commit()

    contracts.git("branch", "-f", "main", "branch")
    field_of(schema, "event_id")["doc"] = "Even better words."
    contracts.write_version(2, schema)
    code, out, err = run("publish")
    assert (code, out) == (1, "")
    assert "edited-version" in err
    assert "nothing was published" in err


def test_a_broken_version_is_not_published(contracts: PlantedContracts) -> None:
    schema = contracts.schema()
    field_of(schema, "cost_micros")["type"] = "string"
    contracts.write_version(2, schema)
    before = (contracts.directory / published.FILE_NAME).read_text("utf-8")
    code, _, err = run("publish")
    assert code == 1
    assert "[incompatible]" in err
    assert (contracts.directory / published.FILE_NAME).read_text("utf-8") == before


@pytest.mark.parametrize(
    ("line", "said"), [("no fingerprint", ":2: not a line of sha256sum"), ("", ":2: not a line")]
)
def test_a_damaged_list_of_fingerprints_is_named_by_line(
    contracts: PlantedContracts, line: str, said: str
) -> None:
    with (contracts.directory / published.FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=said):
        published.read(contracts.directory)


def test_the_command_line_answers_in_three_forms(contracts: PlantedContracts) -> None:
    code, out, _ = run("check")
    assert (code, out.splitlines()[-1]) == (0, "1 subjects, 1 versions: all well")
    assert run("check", "--github")[:2] == (0, "")
    edit(contracts)
    code, out, _ = run("check", "--json")
    assert code == 1
    assert json.loads(out)["findings"][0]["kind"] == "edited-version"
    code, out, _ = run("check", "--github")
    assert code == 1
    assert out.startswith("::error file=")
