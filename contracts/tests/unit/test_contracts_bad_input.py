"""Bad input to each command: one sentence with file and line, exit code 2, never a traceback."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from planted_contracts import PlantedContracts
from typer.testing import CliRunner

from roas_contracts import exit_codes
from roas_contracts.cli import app
from roas_contracts.errors import RoasError
from roas_contracts.subjects import DIRECTORY_VARIABLE

NOWHERE = "http://127.0.0.1:9"
EVERY_COMMAND = (
    ("check",),
    ("check", "--json"),
    ("check", "--github"),
    ("publish",),
    ("show", "ad-clicks"),
    ("diff", "ad-clicks"),
    ("list",),
    ("docs",),
    ("docs", "--check"),
    ("register", "--registry-url", NOWHERE, "--patience", "0"),
    ("verify-registry", "--registry-url", NOWHERE, "--patience", "0"),
    ("topics", "--bootstrap", "127.0.0.1:9"),
)


@pytest.fixture()
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedContracts:
    planted = PlantedContracts(tmp_path)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(planted.directory))
    monkeypatch.chdir(tmp_path)
    return planted


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """The exit code and all that is said, as `roas_contracts.service.cli.run` would have it."""
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, RoasError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
@pytest.mark.parametrize(
    ("file", "content", "line", "said"),
    [
        ("v1.avsc", b'{"type": "record",\n"name": oops}', 2, "not JSON"),
        ("v1.avsc", b"\xff", 1, "not UTF-8"),
        ("v1.avsc", b'"string"', 1, "must be a record"),
        ("subject.yaml", b"owner: x\nonwer: y\n", 2, "did you mean owner?"),
        ("subject.yaml", b"owner: [\n", 2, "not YAML"),
    ],
    ids=["json", "bytes", "type", "key", "yaml"],
)
def test_a_file_that_is_no_contract_is_named_with_its_line(
    contracts: PlantedContracts,
    command: Sequence[str],
    file: str,
    content: bytes,
    line: int,
    said: str,
) -> None:
    (contracts.folder / file).write_bytes(content)
    code, output = run(command)
    assert code == exit_codes.USAGE
    if "--json" in command:
        assert f'"line": {line}' in output
    elif "--github" in command:
        assert f"{file},line={line}," in output
    else:
        assert f"{file}:{line}: " in output
    assert said in " ".join(output.split())


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_a_folder_without_contracts_is_named(
    command: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "none"))
    code, output = run(command)
    assert code == exit_codes.USAGE
    assert f"no contracts in {tmp_path / 'none'}" in output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("show", "ad-clikcs"), "there is no contract for ad-clikcs: there are ad-clicks"),
        (("diff", "ad-clikcs"), "there is no contract for ad-clikcs"),
        (("register", "ad-clikcs"), "there is no contract for ad-clikcs"),
        (("verify-registry", "ad-clikcs"), "there is no contract for ad-clikcs"),
        (("topics", "ad-clikcs"), "there is no contract for ad-clikcs"),
        (("show", "ad-clicks", "--version", "9"), "ad-clicks has no version 9: the newest is 1"),
        (("diff", "ad-clicks", "3"), "ad-clicks has no version 3: the newest is 1"),
        (("check", "--base", "nowhere"), "--base nowhere: "),
        (("publish", "--base", "nowhere"), "--base nowhere: "),
        (("check", "--json", "--github"), "exclude each other"),
        (("docs", "--root", "nowhere"), "--root nowhere: no checkout"),
        (("verify-registry", "--registry-url", "ftp://x"), "the registry's URL 'ftp://x' is not"),
        (("compat", "--mode", "FULL", "--new", "none.avsc"), "none.avsc: No such file"),
        (("compat", "--jsonl", "none.jsonl"), "none.jsonl: No such file"),
    ],
)
def test_an_argument_that_can_not_be_is_named(
    contracts: PlantedContracts, command: Sequence[str], said: str
) -> None:
    code, output = run(command)
    assert code == exit_codes.USAGE
    assert said in output


def test_a_registry_that_is_away_is_no_usage(contracts: PlantedContracts) -> None:
    for verb in ("register", "verify-registry"):
        code, output = run((verb, "--registry-url", NOWHERE, "--patience", "0"))
        assert code == exit_codes.UNAVAILABLE
        assert f"the registry at {NOWHERE} does not answer" in output


def test_a_line_that_is_no_fingerprint_is_named(contracts: PlantedContracts) -> None:
    file = contracts.directory / "published.sha256"
    file.write_text(f"{file.read_text('utf-8')}oops\n", "utf-8")
    for command in (("check",), ("publish",), ("register", "--registry-url", NOWHERE)):
        assert run(command) == (
            exit_codes.USAGE,
            f"{file}:2: not a line of sha256sum: 'oops'",
        )
