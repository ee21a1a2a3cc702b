"""The decoder: strict where fastavro is lenient, and equal to it wherever both read."""

import dataclasses
import io
import json
import random
import sys
from typing import Any

import pytest
from fastavro import schemaless_reader
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts import wire
from roas_contracts.codec import Codec
from roas_contracts.decoder import SKIPPED, Decoder
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.events import TYPE_OF_TOPIC, DeadLetterReason, Event
from roas_contracts.heartbeat import Heartbeat, heartbeat_headers
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject
from roas_corpus.records import EVENT_MS, NOW_MS, RECORDS, inline_schemas, layout
from roas_corpus.strategies import events

TOPICS = sorted(TYPE_OF_TOPIC)
EVERYTHING = 2**63


class OneSchema:
    """A topic's own schema under id 7, and nothing else."""

    def __init__(self, topic: str) -> None:
        self.text = load_subject(topic).latest.text
        self.asked = 0

    def schema(self, schema_id: int) -> str:
        self.asked += 1
        if schema_id == 7:
            return self.text
        raise PoisonError(DeadLetterReason.UNKNOWN_SCHEMA_ID, str(schema_id))


class Texts:
    """Schemas by id."""

    def __init__(self, texts: dict[int, str]) -> None:
        self.texts = texts

    def schema(self, schema_id: int) -> str:
        return self.texts[schema_id]


def lax(currency: str = "USD") -> Rules:
    """Rules 8 and 9 let everything pass."""
    return Rules(group="g", currency=currency, earliest_ms=-EVERYTHING, max_ahead_ms=2 * EVERYTHING)


def decoder(topic: str, rules: Rules | None = None) -> Decoder:
    return Decoder(topic, OneSchema(topic), rules or Rules(group="g"))


@pytest.mark.parametrize("topic", ["dead-letters", "producer-progress"])
@given(data=st.data())
def test_topics_without_rules_give_back_any_event(topic: str, data: st.DataObject) -> None:
    event = data.draw(events(topic))
    value = Codec.for_topic(topic, 7).encode(event)
    assert decoder(topic).decode(value, None, NOW_MS) == event


@pytest.mark.parametrize("topic", ["ad-impressions", "ad-clicks", "ad-conversions"])
@given(data=st.data())
def test_an_event_is_given_back_or_breaks_a_rule(topic: str, data: st.DataObject) -> None:
    event: Any = data.draw(events(topic))
    value = Codec.for_topic(topic, 7).encode(event)
    allowed = (DeadLetterReason.INVALID_FIELD, DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS)
    broken: PoisonError | None = None
    try:
        decoded = decoder(topic, lax(event.currency)).decode(value, None, NOW_MS)
    except PoisonError as error:
        broken = error
    else:
        assert decoded == event
    assert broken is None or (broken.reason in allowed and broken.schema_id == 7)


@st.composite
def damaged(draw: st.DrawFn, topic: str) -> bytes:
    """A good body with a few bytes changed, inserted or removed."""
    body = bytearray(layout(topic).body())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body) - 1))
        change = draw(st.sampled_from(["set", "insert", "remove", "cut"]))
        if change == "set":
            body[at] = draw(st.sampled_from([0, 1, 2, 3, 0x7F, 0x80, 0xC0, 0xED, 0xFE, 0xFF]))
        elif change == "insert":
            body.insert(at, draw(st.integers(0, 255)))
        elif change == "remove" and len(body) > 1:
            del body[at]
        elif change == "cut" and at > 0:
            del body[at:]
    return bytes(body)


@pytest.mark.parametrize("topic", TOPICS)
@given(data=st.data())
def test_what_we_accept_fastavro_reads_the_same(topic: str, data: st.DataObject) -> None:
    body = data.draw(damaged(topic))
    rules = lax()
    try:
        event = decoder(topic, rules).decode(wire.pack(7, body), None, NOW_MS)
    except PoisonError:
        return  # Stricter than fastavro on purpose; the corpus says where.
    stream = io.BytesIO(body)
    read: Any = schemaless_reader(stream, without_logical_types(topic), None)
    if topic == "dead-letters":
        read["headers"] = tuple((h["name"], h["value"]) for h in read["headers"])
    assert dataclasses.asdict(event) == read
    assert stream.tell() == len(body)


def without_logical_types(topic: str) -> Any:
    """fastavro would make datetimes of times, and fail at those behind the year 9999."""
    return json.loads(load_subject(topic).latest.text, object_hook=_plain)


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    node.pop("logicalType", None)
    return node


@given(raw=st.binary(max_size=300), topic=st.sampled_from(TOPICS))
def test_random_bytes_are_poison_or_nothing_else_happens(raw: bytes, topic: str) -> None:
    for value in (raw, wire.pack(7, raw)):
        with pytest.raises(PoisonError):
            decoder(topic).decode(value, None, NOW_MS)


def test_the_record_after_poison_is_read_correctly() -> None:
    topic = "ad-clicks"
    good = Codec.for_topic(topic, 7).encode(_event(topic))
    one = decoder(topic)
    draw = random.Random(7)
    for _ in range(500):
        with pytest.raises(PoisonError):
            one.decode(good[: draw.randrange(5, len(good))], None, NOW_MS)
        assert one.decode(good, None, NOW_MS) == _event(topic)


def test_a_schema_is_asked_for_once() -> None:
    topic = "ad-clicks"
    schemas = OneSchema(topic)
    one = Decoder(topic, schemas, Rules(group="g"))
    value = Codec.for_topic(topic, 7).encode(_event(topic))
    for _ in range(3):
        one.decode(value, None, NOW_MS)
    assert schemas.asked == 1


def test_an_unknown_schema_is_asked_for_each_time() -> None:
    schemas = OneSchema("ad-clicks")
    one = Decoder("ad-clicks", schemas, Rules(group="g"))
    for _ in range(2):
        with pytest.raises(PoisonError) as caught:
            one.decode(wire.pack(8, b""), None, NOW_MS)
        assert caught.value.reason is DeadLetterReason.UNKNOWN_SCHEMA_ID
        assert caught.value.schema_id == 8
    assert schemas.asked == 2


def test_an_outage_is_not_remembered() -> None:
    class Recovering(OneSchema):
        def schema(self, schema_id: int) -> str:
            if self.asked == 0:
                self.asked = 1
                raise TransientError("away")
            return super().schema(schema_id)

    one = Decoder("ad-clicks", Recovering("ad-clicks"), Rules(group="g"))
    value = Codec.for_topic("ad-clicks", 7).encode(_event("ad-clicks"))
    with pytest.raises(TransientError):
        one.decode(value, None, NOW_MS)
    assert one.decode(value, None, NOW_MS) == _event("ad-clicks")


def test_heartbeats_and_records_for_others_need_no_schema() -> None:
    one = Decoder("ad-clicks", Texts({}), Rules(group="g"))
    assert one.decode(None, heartbeat_headers(EVENT_MS), NOW_MS) == Heartbeat(EVENT_MS)
    assert one.decode(b"", [("roas-for-group", b"other")], NOW_MS) is SKIPPED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '"string"',
        '{"type": "record"}',
        '{"type": "record", "name": "X", "fields": [{"name": "a", "type": "nope"}]}',
        '{"type": "enum", "name": "marketing_roas.events.AdClick", "symbols": ["A"]}',
        '{"type": "object", "properties": {}}',
    ],
)
def test_a_schema_that_is_no_avro_record_is_the_wrong_type(text: str) -> None:
    one = Decoder("ad-clicks", Texts({7: text}), Rules(group="g"))
    with pytest.raises(PoisonError) as caught:
        one.decode(wire.pack(7, b"x"), None, NOW_MS)
    assert caught.value.reason is DeadLetterReason.WRONG_RECORD_TYPE


def test_a_record_that_holds_itself_can_be_read_and_can_not_exhaust_the_stack() -> None:
    schema = inline_schemas()[50]
    schema["fields"].append(
        {"name": "parent", "type": ["null", "marketing_roas.events.AdImpression"], "default": None}
    )
    one = Decoder("ad-impressions", Texts({7: json.dumps(schema)}), Rules(group="g"))
    level = layout("ad-impressions").body() + b"\0"  # auction_id null

    assert one.decode(wire.pack(7, level + b"\2" + level + b"\0"), None, NOW_MS) == _event(
        "ad-impressions"
    )
    # Whatever limit others in this process have set: a level takes more than one frame.
    deep = (level + b"\2") * sys.getrecursionlimit()
    with pytest.raises(PoisonError) as caught:
        one.decode(wire.pack(7, deep + level + b"\0"), None, NOW_MS)
    assert caught.value.reason is DeadLetterReason.UNDECODABLE


def test_the_detail_names_the_field_and_is_clipped() -> None:
    body = layout("ad-impressions").body(device_ip=b"\x02\x04\xff\xff")
    with pytest.raises(PoisonError, match="device_ip: not UTF-8"):
        decoder("ad-impressions").decode(wire.pack(7, body), None, NOW_MS)
    error = PoisonError(DeadLetterReason.INVALID_FIELD, "x" * 2000)
    assert len(error.detail) == 512


def _event(topic: str) -> Event:
    return TYPE_OF_TOPIC[topic](**RECORDS[topic])
