"""`compat` as its user meets it."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roas_contracts.compatibility import batch

INT, LONG = '"int"', '"long"'
BROKEN = '{"type": "record",\n "name": "R"\n "fields": []}'


def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roas_contracts", "compat", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture()
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {"int": INT, "long": LONG, "broken": BROKEN, "undefined": '["null",\n"Nowhere"]'}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "binary").write_bytes(b"\xff")
    return {path.name: path for path in tmp_path.iterdir()}


def test_compatible_is_0(files: dict[str, Path]) -> None:
    done = run("--mode", "BACKWARD", "--new", files["long"], "--previous", files["int"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("compatible:")


def test_incompatible_is_1_and_says_who_can_not_read_what(files: dict[str, Path]) -> None:
    done = run("--mode", "FULL", "--new", files["long"], "--previous", files["int"])
    assert (done.returncode, done.stderr) == (1, "")
    assert f"{files['int']} can't read what {files['long']} wrote" in done.stdout
    assert "TYPE_MISMATCH at /: reader type: INT not compatible" in done.stdout


def test_several_previous_versions_oldest_first(files: dict[str, Path]) -> None:
    options = ("--mode", "BACKWARD", "--new", files["int"], "--json")
    newest_is_int = run(*options, "--previous", files["long"], "--previous", files["int"])
    assert json.loads(newest_is_int.stdout) == {"compatible": True, "incompatibilities": []}
    newest_is_long = run(*options, "--previous", files["int"], files["long"])
    assert newest_is_long.returncode == 1
    (found,) = json.loads(newest_is_long.stdout)["incompatibilities"]
    assert found["against"] == str(files["long"])
    assert found["direction"] == "BACKWARD"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "broken:3: not JSON"),
        ("undefined", "undefined:2: Nowhere is not defined anywhere in this text (at /1)"),
        ("binary", "binary: not UTF-8 at byte 0"),
        ("missing", "missing: No such file or directory"),
    ],
)
def test_an_invalid_schema_is_2_with_file_and_line(
    files: dict[str, Path], name: str, said: str
) -> None:
    file = files["int"].parent / name
    done = run("--mode", "FULL", "--new", files["int"], "--previous", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("--mode", "FULL"), ("--mode", "full", "--new", "int"), ("--jsonl", "-", "--mode", "FULL")],
)
def test_wrong_usage_is_2(files: dict[str, Path], arguments: tuple[str, ...]) -> None:
    replaced = [str(files.get(argument, argument)) for argument in arguments]
    done = run(*replaced)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")


def question(**changes: Any) -> str:
    return json.dumps({"id": 1, "mode": "FULL", "new": INT, "previous": [INT], **changes})


def test_lines_are_answered_in_order() -> None:
    lines = [
        question(id="a"),
        question(id=2, mode="BACKWARD", previous=[LONG]),
        question(id=None, previous=['"Nowhere"']),
        "",
        question(id=4, new=BROKEN),
    ]
    done = run("--jsonl", "-", stdin="\n".join(lines))
    assert (done.returncode, done.stderr) == (0, "")
    same, mismatch, undefined, broken = map(json.loads, done.stdout.splitlines())
    assert same == {"id": "a", "compatible": True, "error": None, "incompatibilities": []}
    assert mismatch["compatible"] is False
    assert mismatch["incompatibilities"] == [
        {
            "type": "TYPE_MISMATCH",
            "path": "/",
            "message": "reader type: INT not compatible with writer type: LONG",
        }
    ]
    assert (undefined["compatible"], undefined["incompatibilities"]) == (None, [])
    assert undefined["error"].startswith("previous 0 is not valid: line 1, at /: Nowhere is not")
    assert broken["error"].startswith("new is not valid: line 3, at /: not JSON")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (question(mode=None), "mode must be a string"),
        (question(mode="full"), "no compatibility mode 'full'"),
        (question(new={"type": "int"}), "new must be a schema as a string"),
        (question(previous=INT), "previous must be a list"),
        ("[" * 100_000, "not JSON"),
        (b"\xff".decode("latin-1"), "not JSON"),
    ],
)
def test_a_line_that_is_no_question_is_answered_too(line: str, said: str) -> None:
    text = f"{question()}\n{line}\n{question()}\n".encode("latin-1")
    found = list(batch.answers(io.BytesIO(text)))
    assert [answer.compatible for answer in found] == [True, None, True]
    assert found[1].error is not None
    assert found[1].error.startswith("line 2: ")
    assert said in found[1].error
    assert not found[1].is_question


def test_a_file_with_such_a_line_is_2(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(f"{question()}\nnonsense\n", "utf-8")
    done = run("--jsonl", file)
    assert done.returncode == 2
    assert [json.loads(line)["compatible"] for line in done.stdout.splitlines()] == [True, None]


def test_an_endless_line_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_LINE_BYTES", 100)
    text = question(id="x" * 500) + "\n" + question(new=LONG, previous=[])
    found = list(batch.answers(io.BytesIO(text.encode())))
    assert [(answer.compatible, answer.line) for answer in found] == [(None, 1), (True, 2)]
