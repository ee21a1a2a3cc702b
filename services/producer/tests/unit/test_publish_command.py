"""``publish`` without Kafka: the shipped examples, and refusals of one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roas_contracts.errors import RoasError
from roas_producer.cli import app
from roas_producer.input_key import input_key
from roas_producer.publish.plan import PublishOptions

EXAMPLES = Path(__file__).parents[2] / "examples"


def publish(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "roas_producer", "publish", *arguments, "--dry-run"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(
        command, input=stdin, env=env, capture_output=True, timeout=120, check=False
    )


def test_the_example_of_impressions() -> None:
    mapping = EXAMPLES / "impressions.toml"
    done = publish(
        EXAMPLES / "impressions.csv", "--as", "impressions", "--mapping", mapping, "--json"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["events"], result["dead_letters"]) == (3, 2)
    assert result["dead_letters_by_reason"] == {"INVALID_FIELD": 2}
    assert result["cost_micros"] == 8_100
    assert result["out_of_order_ms"] == 70_000
    assert result["samples"][0]["fields"]["event_time"] == "2026-03-01T03:00:05.000Z"


def test_the_example_of_conversions_also_from_a_pipe() -> None:
    orders, mapping = EXAMPLES / "orders.jsonl", EXAMPLES / "orders.yaml"
    from_file = publish(orders, "--as", "conversions", "--mapping", mapping, "--json")
    piped = publish(
        *("-", "--format", "jsonl", "--input-name", "orders.jsonl"),
        *("--as", "conversions", "--mapping", mapping, "--json"),
        stdin=orders.read_bytes(),
    )
    assert from_file.returncode == 0, from_file.stderr
    assert from_file.stdout == piped.stdout
    assert json.loads(piped.stdout)["revenue_micros"] == 62_400_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{csv}", "--as", "impressions"], "with --mapping FILE"),
        (["{csv}", "--as", "clicks", "--mapping", "{toml}"], "attributes: clicks have none"),
        (["{csv}.gone", "--as", "clicks", "--format", "csv"], "cannot be read"),
        (["{toml}", "--as", "clicks"], "does not tell the format"),
        (["-", "--as", "clicks", "--format", "csv"], "--input-name"),
        (["-", "--as", "clicks", "--format", "parquet", "--input-name", "x"], "standard input"),
        (["{csv}", "--as", "clicks", "--out-of-order", "soon"], "not a duration"),
        (["{csv}", "--as", "clicks", "--delimiter", "::"], "not one character"),
        (["{json}", "--as", "clicks", "--delimiter", ";"], "does not go with jsonl"),
        (["{csv}", "--as", "impressions", "--mapping", "{toml}", "--currency", "EUR"], "'EUR'"),
        (["{csv}", "--as", "impressions", "--mapping", "{toml}", "--delimiter", ";"], "no column"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(arguments: list[str], said: str) -> None:
    named = {"csv": "impressions.csv", "toml": "impressions.toml", "json": "orders.jsonl"}
    places = {name: str(EXAMPLES / file) for name, file in named.items()}
    given = [argument.format(**places) for argument in arguments]
    done = CliRunner().invoke(app, ["publish", *given, "--dry-run"])
    assert isinstance(done.exception, RoasError)
    assert done.exception.exit_code == 2
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)
    assert done.stdout == ""


def test_the_first_start_is_remembered_but_makes_no_other_run() -> None:
    first, second = (
        PublishOptions("clicks", "csv", None, "mapping", None, "USD", None, start)
        for start in (1, 2)
    )
    assert input_key("sha", first) == input_key("sha", second)
    assert json.loads(first.recorded())["first_start_ms"] == 1
