"""Cases for other teams' schemas: what is read as ours, and what can't be."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from roas_corpus import records
from roas_corpus.body_cases import IMPRESSIONS, TOO_LONG, UNDECODABLE
from roas_corpus.cases import Cases
from roas_corpus.records import (
    RECORDS,
    TOPIC_IDS,
    Layout,
    inline_schemas,
    layout,
    text,
    varint,
    wire,
)

NOTHING: Mapping[str, bytes] = MappingProxyType({})


def add(cases: Cases) -> None:
    """All of them."""
    schemas = inline_schemas()

    def written(schema_id: int, raw: Mapping[str, bytes] = NOTHING, **changed: Any) -> bytes:
        record = {**RECORDS[IMPRESSIONS], **changed}
        return wire(schema_id, Layout(schemas[schema_id], record).body(**raw))

    later = records.LATER_WITH_A_FIELD
    cases.event("later version, new field null", IMPRESSIONS, written(later, auction_id=None))
    cases.event("later version, new field set", IMPRESSIONS, written(later, auction_id="a-1"))
    value = written(later, auction_id="a-1")
    cases.dead("later version, cut inside the new field", IMPRESSIONS, value[:-1], UNDECODABLE)
    cases.dead("later version, a byte behind", IMPRESSIONS, value + b"\0", "TRAILING_BYTES")
    value = written(later, {"auction_id": b"\x02" + text(b"\xff")}, auction_id=None)
    cases.dead("later version, new field not UTF-8", IMPRESSIONS, value, UNDECODABLE)
    value = written(later, {"auction_id": b"\x04"}, auction_id=None)
    cases.dead("later version, new field of another branch", IMPRESSIONS, value, UNDECODABLE)
    value = wire(later, layout(IMPRESSIONS).body())
    cases.dead("v1 bytes under a later version's id", IMPRESSIONS, value, UNDECODABLE)
    value = wire(TOPIC_IDS[IMPRESSIONS], written(later, auction_id=None)[5:])
    cases.dead("bytes of a later version under v1's id", IMPRESSIONS, value, "TRAILING_BYTES")

    cases.event("fewer fields", IMPRESSIONS, written(records.FEWER_FIELDS))
    value = written(records.FEWER_FIELDS)
    cases.dead("fewer fields, cut", IMPRESSIONS, value[:-1], UNDECODABLE)

    promoted: dict[str, Any] = {"campaign_id": b"1722", "device_id": b"dev"}
    value = written(records.PROMOTIONS, **promoted)
    cases.event("promotions and another order", IMPRESSIONS, value)
    value = written(records.PROMOTIONS, **{**promoted, "source": "PARTNER"})
    cases.event("a symbol we lack", IMPRESSIONS, value, {"source": "UNKNOWN"})
    value = written(records.PROMOTIONS, **{**promoted, "source": "UNKNOWN"})
    cases.event("a symbol at another place", IMPRESSIONS, value, {"source": "UNKNOWN"})
    value = written(records.PROMOTIONS, **{**promoted, "cost_micros": 2**31 - 1})
    cases.event("the largest int as long", IMPRESSIONS, value, {"cost_micros": 2**31 - 1})
    value = written(records.PROMOTIONS, {"cost_micros": varint(2**31)}, **promoted)
    cases.dead("an int beyond 32 bits as long", IMPRESSIONS, value, UNDECODABLE)
    value = written(records.PROMOTIONS, {"source": varint(3)}, **promoted)
    cases.dead("a symbol that nobody has", IMPRESSIONS, value, UNDECODABLE)
    value = written(records.PROMOTIONS, **{**promoted, "campaign_id": b"\xed\xa0\x80"})
    cases.dead("bytes that are no text", IMPRESSIONS, value, UNDECODABLE)
    value = written(records.PROMOTIONS, **{**promoted, "device_id": b"\xff"})
    cases.dead("nullable bytes that are no text", IMPRESSIONS, value, UNDECODABLE)

    body = layout(IMPRESSIONS).body()
    value = written(records.MISSING_WITHOUT_DEFAULT)
    cases.dead("a field is missing without default", IMPRESSIONS, value, UNDECODABLE)
    value = wire(records.MISSING_WITHOUT_DEFAULT, body)
    cases.dead("a field is missing, other bytes", IMPRESSIONS, value, UNDECODABLE)

    branches = records.UNREADABLE_BRANCHES
    value = written(branches)
    cases.event("readable branches of unions", IMPRESSIONS, value)
    value = written(branches, event_time="1413851234567")
    cases.dead("a branch that we can't read", IMPRESSIONS, value, UNDECODABLE)
    value = written(branches, event_time=None)
    cases.dead("null where we need a value", IMPRESSIONS, value, UNDECODABLE)
    value = written(branches, device_model=True)
    cases.dead("a branch that our union lacks", IMPRESSIONS, value, UNDECODABLE)

    _every_type(cases, written)


def _every_type(cases: Cases, written: Callable[..., bytes]) -> None:
    """Fields that we drop are walked all the same."""
    extra: dict[str, Any] = {
        "x_null": None,
        "x_boolean": True,
        "x_int": -7,
        "x_long": 2**40,
        "x_float": 1.5,
        "x_double": -2.25,
        "x_bytes": b"\xff\x00",
        "x_string": "마",
        "x_fixed": b"\xff\xfe\xfd\xfc",
        "x_enum": "G",
        "x_array": [1, 2, 3],
        "x_map": {"k": b"\xff"},
        "x_union": "text",
        "x_record": {"a": "inner", "b": "R"},
        "x_records": [{"a": "one", "b": None}, {"a": "two", "b": "G"}],
    }
    schema_id = records.EVERY_AVRO_TYPE
    cases.event("dropped fields of every type", IMPRESSIONS, written(schema_id, **extra))
    good: dict[str, bytes] = {
        "x_array": varint(-2) + varint(2) + varint(1) + varint(2) + b"\0",
        "x_union": varint(3) + b"\xff\xfe\xfd\xfc",
        "x_map": b"\0",
    }
    for field, raw in good.items():
        value = written(schema_id, {field: raw}, **extra)
        cases.event(f"dropped {field} in another form", IMPRESSIONS, value)
    bad: dict[str, list[bytes]] = {
        "x_boolean": [b"\x02"],
        "x_int": [varint(2**31), TOO_LONG["eleven bytes"]],
        "x_long": [TOO_LONG["ten bytes, 65 bits"]],
        "x_bytes": [varint(-1), varint(2**40)],
        "x_string": [text(b"\xc0\x80")],
        "x_enum": [varint(2), varint(-1)],
        "x_array": [varint(-1) + varint(-1), varint(-1) + varint(2**40)],
        "x_map": [varint(1) + text(b"\xff") + text(b"") + b"\0"],
        "x_union": [varint(5), varint(-1), varint(4) + varint(2), varint(2) + text(b"\xff")],
        "x_record": [text(b"\xff") + b"\0", text("a") + varint(2)],
        "x_records": [varint(1) + text(b"\xed\xbf\xbf") + b"\0" + b"\0"],
    }
    for field, raws in bad.items():
        for number, raw in enumerate(raws):
            value = written(schema_id, {field: raw}, **extra)
            cases.dead(f"dropped {field} damaged {number}", IMPRESSIONS, value, UNDECODABLE)
    value = written(schema_id, **extra)
    for length in range(5, len(value)):
        cases.dead(f"every type cut to {length}", IMPRESSIONS, value[:length], UNDECODABLE)
