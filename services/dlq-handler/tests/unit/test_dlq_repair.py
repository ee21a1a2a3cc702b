"""Rules repair exactly what they say, and nothing that would fail again."""

from __future__ import annotations

from typing import Any

import pytest

from roas_contracts.codec import Codec
from roas_contracts.errors import InputError
from roas_contracts.events import AD_CLICKS, AdClick, DeadLetter, DeadLetterReason, OriginType
from roas_contracts.subjects import load_subject
from roas_corpus.records import RECORDS
from roas_dlq_handler.operation import UnchangedError
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.repair import Repaired, Repairs
from roas_dlq_handler.rules_file import parse_rules

EVENT_MS = 1_413_851_234_000
CODEC = Codec.for_topic(AD_CLICKS, 1)


class OneSchema:
    def schema(self, schema_id: int) -> str:
        return load_subject(AD_CLICKS).latest.text


class OneId:
    def schema_id(self, topic: str, version: int | None = None) -> int:
        return 1


def click(**changes: Any) -> AdClick:
    times = {"event_time": EVENT_MS, "impression_time": EVENT_MS}
    return AdClick(**{**RECORDS[AD_CLICKS], **times, **changes})


def repair(rules: str, value: bytes | None) -> Repaired:
    letter = DeadLetter(
        dead_letter_id="a" * 32,
        origin_type=OriginType.KAFKA,
        topic=AD_CLICKS,
        partition=0,
        offset=1,
        value=value,
        consumer_group="ctr-stream",
        service="ctr-stream",
        service_version="0.1.0",
        stage="decode",
        reason=DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS,
        detail="",
        first_failed_at=1,
        failed_at=1,
        attempts=1,
    )
    rules_file = parse_rules(f"description: d\nrules: [{{name: r, {rules}}}]", "rules.yaml")
    repairs = Repairs(rules_file, AD_CLICKS, OneSchema(), OneId(), "USD", lambda: EVENT_MS)
    return repairs.repair(letter)


def after(rules: str, **changes: Any) -> dict[str, Any]:
    return dict(repair(rules, CODEC.encode(click(**changes))).after)


def test_seconds_become_milliseconds() -> None:
    seconds = {"event_time": EVENT_MS // 1000, "impression_time": EVENT_MS // 1000}
    rules = (
        "when: {fields: {event_time: {below: 10000000000}}}, steps: ["
        "{multiply: {field: event_time, by: 1000}}, "
        "{multiply: {field: impression_time, by: 1000}}]"
    )
    value = CODEC.encode(click(**seconds))
    assert repair(rules, value).value == CODEC.encode(click())


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("{campaign_id: {equals: '1722'}}", True),
        ("{campaign_id: {equals: '1723'}}", False),
        ("{campaign_id: {matches: '17.*'}}", True),
        ("{campaign_id: {matches: '17'}}", False),
        ("{campaign_id: {at_least: 1}}", False),
        ("{cost_micros: {at_least: -5, below: -4}}", True),
        ("{cost_micros: {below: -5}}", False),
        ("{cost_micros: {is_null: false}}", True),
        ("{cost_micros: {is_null: true}}", False),
        ("{no_such_field: {is_null: true}}", False),
    ],
)
def test_a_rule_is_for_what_its_conditions_hold_for(condition: str, holds: bool) -> None:
    rules = f"when: {{fields: {condition}}}, steps: [{{set: {{field: cost_micros, value: 5}}}}]"
    if holds:
        assert after(rules, cost_micros=-5)["cost_micros"] == 5
    else:
        with pytest.raises(UnchangedError, match="no rule matches"):
            after(rules, cost_micros=-5)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("{drop: {field: nothing}}", "no field 'nothing'"),
        ("{drop: {field: currency}}", "currency is missing"),
        ("{rename: {field: currency, to: money}}", "no field 'money'"),
        ("{multiply: {field: currency, by: 2}}", "no number"),
        ("{multiply: {field: cost_micros, by: 0.3}}", "cost_micros"),
        ("{cast: {field: currency, to: integer}}", "no number"),
        ("{cast: {field: currency, to: boolean}}", "neither true nor false"),
        ("{set: {field: currency, value: EUR}}", "FOREIGN_CURRENCY"),
    ],
)
def test_what_a_rule_can_not_do_leaves_it_failed(steps: str, why: str) -> None:
    with pytest.raises(UnchangedError, match=why):
        after(f"when: {{}}, steps: [{steps}]", cost_micros=1)


@pytest.mark.parametrize("value", [None, b"", b"\1junk", b"\0\0\0\0\1", CODEC.encode(click())[:-1]])
def test_what_does_not_decode_stays_failed(value: bytes | None) -> None:
    with pytest.raises(UnchangedError):
        repair("when: {}", value)


def test_a_version_that_was_never_published_is_refused() -> None:
    with pytest.raises(RefusedError, match="never published"):
        repair("when: {}, encode_as: 99", CODEC.encode(click()))


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("when: {}, step: []", "step"),
        ("when: {fields: {a: {}}}", "says nothing"),
        ("when: {fields: {a: {matches: '('}}}", "regular expression"),
        ("when: {}, steps: [{}]", "exactly one"),
        ("when: {reasons: [BAD_LUCK]}", "reasons"),
    ],
)
def test_a_rules_file_that_is_wrong_says_where(rules: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        repair(rules, b"")
