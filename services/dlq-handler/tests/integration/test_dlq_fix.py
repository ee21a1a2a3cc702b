"""Fix: a rule repairs what it matches; what none matches, or would fail again, stays failed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from dlq_stack import DlqStack, letter

from roas_contracts import exit_codes
from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.events import AD_CLICKS, AdClick, DeadLetterReason
from roas_contracts.registry import SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject
from roas_corpus.records import RECORDS

EVENT_MS = 1_413_851_234_000
RULES = """
description: a producer release wrote times in seconds
rules:
  - name: seconds to milliseconds
    when:
      topics: [ad-clicks]
      reasons: [EVENT_TIME_OUT_OF_BOUNDS]
      fields:
        event_time: {at_least: 1000000000, below: 10000000000}
    steps:
      - multiply: {field: event_time, by: 1000}
      - multiply: {field: impression_time, by: 1000}
"""


def click(number: int, **changes: Any) -> AdClick:
    fields = {**RECORDS[AD_CLICKS], "event_id": f"e{number}", "event_time": EVENT_MS}
    return AdClick(**{**fields, "impression_time": EVENT_MS - 1000, **changes})


@pytest.fixture()
def failed(stack: DlqStack) -> DlqStack:
    """Ten clicks in seconds, one in seconds and another currency, two that do not decode."""
    codec = Codec.for_topic(AD_CLICKS, stack.registry.schema_id(AD_CLICKS))
    seconds = {"event_time": EVENT_MS // 1000, "impression_time": EVENT_MS // 1000 - 1}
    late = DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS
    letters = [
        letter(number, value=codec.encode(click(number, **seconds)), reason=late)
        for number in range(10)
    ]
    foreign = codec.encode(click(10, currency="EUR", **seconds))
    letters.append(letter(10, value=foreign, reason=late))
    letters.append(letter(11, value=codec.encode(click(11))[:-1], reason=late))
    letters.append(letter(12))
    stack.send(letters)
    stack.service()
    stack.wait_until_stored(13)
    return stack


def test_a_rule_is_tried_and_then_repairs_what_it_matches(failed: DlqStack, tmp_path: Path) -> None:
    rules = tmp_path / "seconds.yaml"
    rules.write_text(RULES)
    sample = failed.answer("fix", str(rules), "--sample", "20")
    assert len(sample["repaired"]) == 10
    changes = sample["repaired"][0]["changes"]
    assert changes["event_time"] == [EVENT_MS // 1000, EVENT_MS]
    assert failed.committed(AD_CLICKS) == []

    result = failed.answer("fix", str(rules), "--yes", "--why", "release 1.4.2")
    assert (result["done"], result["unchanged"]) == (10, 3)
    reasons = " ".join(one["why"] for one in result["examples"])
    assert "FOREIGN_CURRENCY" in reasons
    assert "does not decode" in reasons
    assert "no rule matches" in reasons
    failed.wait_until_states(open=3, fixed=10)

    decoder = Decoder(AD_CLICKS, SchemaSource(failed.registry), Rules(group="ctr-stream"))
    sent = failed.committed(AD_CLICKS)
    events = [decoder.decode(one.value, one.headers, EVENT_MS) for one in sent]
    expected = [click(number) for number in range(10)]
    assert sorted(events, key=repr) == sorted(expected, key=repr)
    assert {one.headers[0] for one in sent} == {("trace", b"%d" % n) for n in range(10)}
    again = failed.dlq("fix", str(rules), "--yes")
    assert again.returncode == exit_codes.NO, again.stderr
    assert len(failed.committed(AD_CLICKS)) == 10


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("rules: [", exit_codes.USAGE, "not YAML"),
        ("description: x\nrules: []", exit_codes.USAGE, "rules"),
        (RULES.replace("steps", "stepz"), exit_codes.USAGE, "stepz"),
        (RULES.replace("multiply:", "divide:"), exit_codes.USAGE, "divide"),
        (RULES + "    encode_as: 99\n", exit_codes.NO, "never published"),
    ],
)
def test_rules_that_are_wrong_are_refused_in_one_sentence(
    failed: DlqStack, tmp_path: Path, text: str, code: int, says: str
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(text)
    done = failed.dlq("fix", str(rules))
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_was_renamed_typed_and_encoded_by_others_can_be_mapped(
    stack: DlqStack, tmp_path: Path
) -> None:
    codec = Codec.for_topic(AD_CLICKS, stack.registry.schema_id(AD_CLICKS))
    value = b"\0\x7f\xff\xff\xff" + codec.encode(click(1, cost_micros=-5))[5:]
    unknown = DeadLetterReason.UNKNOWN_SCHEMA_ID
    stack.send([letter(1, value=value, reason=unknown)])
    stack.service()
    stack.wait_until_stored(1)
    newest = stack.registry.schema_id(AD_CLICKS)
    rules = tmp_path / "rules.yaml"
    rules.write_text("""
description: written under an id of another registry, cost negated
rules:
  - name: read as ours
    when: {reasons: [UNKNOWN_SCHEMA_ID]}
    read_as: VERSION
    steps:
      - multiply: {field: cost_micros, by: -1}
      - rename: {field: campaign_id, to: campaign}
      - rename: {field: campaign, to: campaign_id}
      - cast: {field: campaign_id, to: integer}
      - add: {field: campaign_id, amount: 1}
      - cast: {field: campaign_id, to: text}
""".replace("VERSION", str(_newest_version())))
    assert stack.answer("fix", str(rules), "--yes")["done"] == 1
    (sent,) = stack.committed(AD_CLICKS)
    decoder = Decoder(AD_CLICKS, SchemaSource(stack.registry), Rules(group="ctr-stream"))
    before = click(1)
    expected = dataclasses.replace(
        before, cost_micros=5, campaign_id=str(int(before.campaign_id) + 1)
    )
    assert decoder.decode(sent.value, sent.headers, EVENT_MS) == expected
    assert sent.value is not None
    assert int.from_bytes(sent.value[1:5], "big") == newest


def _newest_version() -> int:
    return load_subject(AD_CLICKS).latest.number
