"""Every case of the byte corpus, and the corpus itself."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from roas_contracts.dead_letters import file_dead_letter_id, kafka_dead_letter_id
from roas_contracts.decoder import Decoder, Skipped
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.rules import Rules
from roas_contracts.subjects import DIRECTORY_VARIABLE
from roas_corpus import __main__ as corpus
from roas_corpus.earlier_contracts import earlier_contracts
from roas_corpus.records import AVRO as NEWEST

FOLDER = Path(corpus.__file__).resolve().parent.parent / "corpus"
FILES = ("cases.jsonl", "other_topic_cases.jsonl")


class CorpusRegistry:
    """The registry of schemas.json: well, and without any other id."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = json.loads((FOLDER / "schemas.json").read_text("utf-8"))

    def schema(self, schema_id: int) -> str:
        entry = self.known.get(str(schema_id))
        if entry is None:
            raise PoisonError(DeadLetterReason.UNKNOWN_SCHEMA_ID, str(schema_id))
        if "schema" in entry:
            return json.dumps(entry["schema"])
        path: Path = NEWEST / entry["topic"] / f"v{entry['version']}.avsc"
        return path.read_text("utf-8")


def cases(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / file).read_text("utf-8").splitlines()]


def outcome(decoder: Decoder, case: dict[str, Any]) -> dict[str, Any]:
    headers = [
        (name, None if value is None else bytes.fromhex(value)) for name, value in case["headers"]
    ]
    value = None if case["value_hex"] is None else bytes.fromhex(case["value_hex"])
    try:
        decoded: Any = decoder.decode(value, headers, case["now_ms"])
    except PoisonError as error:
        return {"outcome": "DEAD", "reason": error.reason}
    if isinstance(decoded, Skipped):
        return {"outcome": "SKIPPED"}
    if isinstance(decoded, Heartbeat):
        return {"outcome": "HEARTBEAT", "event_time": decoded.event_time}
    clocks = ("event_time", "window_start", "failed_at", "updated_at")
    clock = next(getattr(decoded, name) for name in clocks if hasattr(decoded, name))
    fields = {name: getattr(decoded, name) for name in case["expect"].get("fields", ())}
    return {"outcome": "EVENT", "event_time": clock, "fields": fields}


@pytest.fixture(params=[None, 1], ids=["newest contracts", "contracts of version 1"])
def contracts_version(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> int | None:
    """Which contracts the decoders of a test are built with: those of its cases."""
    version: int | None = request.param
    if version is not None:
        monkeypatch.setenv(DIRECTORY_VARIABLE, str(earlier_contracts(version, tmp_path / "avro")))
    return version


@pytest.mark.parametrize("file", FILES)
def test_every_case_is_judged_as_it_says(file: str, contracts_version: int | None) -> None:
    registry = CorpusRegistry()
    wrong = []
    for case in cases(file):
        if case.get("contracts_version") != contracts_version:
            continue
        # One decoder per case: no case may lean on the one before it.
        decoder = Decoder(case["topic"], registry, Rules(group=case["group"]))
        found = outcome(decoder, case)
        if found != case["expect"]:
            wrong.append((case["name"], found, case["expect"]))
    assert wrong == []


def test_one_decoder_for_all_cases_judges_the_same(contracts_version: int | None) -> None:
    registry = CorpusRegistry()
    rules = Rules(group="ctr-stream")
    all_cases = [
        case
        for file in FILES
        for case in cases(file)
        if case.get("contracts_version") == contracts_version
    ]
    assert len(all_cases) >= 20
    decoders = {topic: Decoder(topic, registry, rules) for topic in {c["topic"] for c in all_cases}}
    for case in all_cases:
        assert outcome(decoders[case["topic"]], case) == case["expect"], case["name"]


def test_the_corpus_covers_every_reason_and_outcome() -> None:
    expected = [case["expect"] for case in cases("cases.jsonl")]
    reasons = Counter(e["reason"] for e in expected if e["outcome"] == "DEAD")
    of_the_decoder = set(list(DeadLetterReason)[1:10])
    assert set(reasons) == of_the_decoder
    assert min(reasons.values()) >= 5
    assert {e["outcome"] for e in expected} == {"EVENT", "HEARTBEAT", "SKIPPED", "DEAD"}
    assert len(expected) >= 400


def test_names_are_unique() -> None:
    names = [case["name"] for file in FILES for case in cases(file)]
    assert len(names) == len(set(names))


def test_the_committed_files_are_what_the_script_makes() -> None:
    made = corpus.files()
    assert set(made) == {*FILES, "schemas.json", "dead_letter_ids.json"}
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, name


def test_dead_letter_ids() -> None:
    vectors = json.loads((FOLDER / "dead_letter_ids.json").read_text("utf-8"))
    assert {vector["origin_type"] for vector in vectors} == {"KAFKA", "FILE"}
    for vector in vectors:
        if vector["origin_type"] == "KAFKA":
            found = kafka_dead_letter_id(
                vector["topic"], vector["partition"], vector["offset"], vector["consumer_group"]
            )
        else:
            found = file_dead_letter_id(
                vector["file_sha256"], vector["line"], vector["consumer_group"]
            )
        assert found == vector["dead_letter_id"]
