"""The command line without Kafka: dry runs, refusals, and what makes two runs the same."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import csv_line

from roas_contracts.errors import MisconfigurationError
from roas_producer import version
from roas_producer.heartbeats import end_clock, heartbeats
from roas_producer.input_key import RunOptions, input_key
from roas_producer.kaggle import TEST_COLUMNS, TRAIN_COLUMNS
from roas_producer.sampling import parse_share, taken_below

OPTIONS = RunOptions(
    sample=1.0,
    limit=None,
    rebase_speed=None,
    currency="USD",
    economics="abc",
    synthesize_ids=False,
    again=None,
)


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str | Path] = [sys.executable, "-m", "roas_producer", *arguments]
    # A child process finds what this one has found.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(
        command, input=stdin, env=env, capture_output=True, timeout=120, check=False
    )


def train_file(folder: Path, rows: int = 100) -> Path:
    lines = [",".join(TRAIN_COLUMNS)]
    lines += [csv_line(number, click=number % 4 == 0 and 1 or 0) for number in range(1, rows + 1)]
    lines[3] = lines[3].replace(",0,", ",7,", 1)
    path = folder / "train.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_dry_run_counts_and_needs_no_kafka(tmp_path: Path) -> None:
    done = run("replay", train_file(tmp_path), "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["impressions"], result["clicks"], result["dead_letters"]) == (99, 25, 1)
    assert result["dead_letters_by_reason"] == {"INVALID_CLICK": 1}
    assert result["first_event_time"] == 1_413_849_600_000
    assert set(result["cost_micros_by_pricing_model"]) <= {"CPC", "CPM"}
    assert sum(result["cost_micros_by_pricing_model"].values()) == result["cost_micros"] > 0
    assert result["dead_letter_examples"] == ["line 4: INVALID_CLICK: click is '7', not 0 or 1"]
    assert [path.name for path in tmp_path.iterdir()] == ["train.csv"]


def test_stdin_gzip_and_the_test_set(tmp_path: Path) -> None:
    lines = [",".join(TEST_COLUMNS)]
    for number in range(50):
        fields = csv_line(number).split(",")
        lines.append(",".join([fields[0], *fields[2:]]))
    packed = gzip.compress("\n".join(lines).encode())
    done = run("replay", "-", "--input-name", "live", "--dry-run", "--json", stdin=packed)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["impressions"], result["clicks"], result["conversions"]) == (50, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "{train}", "--rebase", "now", "--speed", "max"], "--rebase now does not go"),
        (["replay", "{train}", "--rebase", "now", "--speed", "99999"], "10000 at most"),
        (["replay", "{train}", "--speed", "fast"], "--speed"),
        (["replay", "{train}", "--sample", "0%"], "--sample"),
        (["replay", "{train}", "--currency", "dollars"], "ROAS_PRODUCER_CURRENCY"),
        (["replay", "{train}", "--economics", "{train}"], "economics file"),
        (["replay", "{train}.gone"], "cannot be read"),
        (["replay", "-"], "--input-name"),
        (["generate", "--start", "yesterday"], "--start"),
        (["generate", "--days", "1", "--hours", "1"], "not both"),
        (["generate", "--rows", "5", "--scale", "0.5"], "rows"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    train = str(train_file(tmp_path))
    done = run(*(argument.replace("{train}", train) for argument in arguments), "--dry-run")
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_generated_rows_take_the_same_way() -> None:
    done = run("generate", "--rows", "2000", "--hours", "2", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["impressions"] == 2000


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5", 0.5), ("100%", 1), ("1", 1)])
def test_shares_that_are_understood(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "0", "101%", "2", "-1%", "some"])
def test_shares_that_are_refused(text: str) -> None:
    with pytest.raises(MisconfigurationError, match="--sample"):
        parse_share(text)


def test_the_whole_share_takes_every_word() -> None:
    assert taken_below(1.0) == 1 << 64


@pytest.mark.parametrize(
    "changed",
    [
        {"sample": 0.5},
        {"limit": 5},
        {"rebase_speed": "1"},
        {"currency": "EUR"},
        {"economics": "def"},
        {"synthesize_ids": True},
        {"again": "second"},
    ],
)
def test_every_option_that_changes_the_events_changes_the_key(changed: dict[str, object]) -> None:
    key = input_key("sha", OPTIONS)
    assert input_key("sha", replace(OPTIONS, **changed)) != key  # type: ignore[arg-type]
    assert input_key("other", OPTIONS) != key
    assert len(key) == 32


@given(st.integers(1_262_304_000_000, 4_000_000_000_000))
def test_the_last_heartbeat_is_past_every_window_and_never_poison(last: int) -> None:
    clock = end_clock(last)
    for window in (60_000, 300_000):
        window_end = last - last % window + window
        assert clock - 5_000 >= window_end
    assert clock - last <= 600_000


def test_a_heartbeat_goes_to_every_partition() -> None:
    records = heartbeats({"a": 2, "b": 1}, 123)
    assert [(record.topic, record.partition) for record in records] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
    ]
    assert {tuple(record.headers) for record in records} == {(("roas-heartbeat", b"123"),)}
    assert all(record.key is None and record.value is None for record in records)


def test_the_version_is_that_of_the_version_file() -> None:
    file = Path(__file__).parents[2] / "VERSION"
    assert file.read_text().strip() == version.VERSION
