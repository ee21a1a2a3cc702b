"""The records that the corpus is made from, and their bytes field by field."""

import copy
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastavro import schemaless_writer
from fastavro.schema import parse_schema

AVRO = Path(__file__).resolve().parent.parent / "avro"

TOPIC_IDS = {
    "ad-clicks": 1,
    "ad-conversions": 2,
    "ad-impressions": 3,
    "ad-metrics-1m": 4,
    "ad-metrics-5m": 5,
    "dead-letters": 6,
    "producer-progress": 7,
    "dead-letter-actions": 9,
}
"""Schema ids of version 1 in the cases: a new topic takes a free number; 8 is unknown."""

VERSION_2_IDS = {name: 20 + TOPIC_IDS[name] for name in ("ad-clicks", "ad-impressions")}
"""Schema ids of version 2 of the topics that have one."""

LATER_WITH_A_FIELD = 50
ANOTHER_RECORD_TYPE = 51
FEWER_FIELDS = 52
PROMOTIONS = 53
MISSING_WITHOUT_DEFAULT = 54
ANOTHER_NAMESPACE = 55
NOT_A_RECORD = 56
EVERY_AVRO_TYPE = 57
UNREADABLE_BRANCHES = 58
MORE_PRICING_MODELS = 59
UNKNOWN_ID = 99

EVENT_MS = 1_413_851_234_567
"""2014-10-21T00:27:14.567Z."""

NOW_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""

_DIMENSIONS = {
    "source": "AVAZU",
    "campaign_id": "1722",
    "advertiser_id": "79",
    "creative_id": "15704",
    "placement_type": "SITE",
    "placement_id": "1fbe01fe",
    "placement_domain": "f3845767",
    "placement_category": "28905ebd",
    "banner_pos": 0,
    "device_type": 1,
    "connection_type": 2,
}

RECORDS: Mapping[str, Mapping[str, Any]] = {
    "ad-impressions": {
        "event_id": "18446744073709551615",
        "event_time": EVENT_MS,
        "labelled": True,
        **_DIMENSIONS,
        "creative_width": 320,
        "creative_height": 50,
        "device_id": None,
        "device_ip": "96809ac8",
        "device_model": "711ee120",
        "cost_micros": 1234,
        "currency": "USD",
        "attributes": {"C1": "1005", "C18": "0"},
        "pricing_model": "UNKNOWN",
    },
    "ad-clicks": {
        "event_id": "18446744073709551615-c",
        "impression_id": "18446744073709551615",
        "event_time": EVENT_MS,
        "impression_time": EVENT_MS - 30_000,
        **_DIMENSIONS,
        "cost_micros": 250_000,
        "currency": "USD",
        "pricing_model": "UNKNOWN",
    },
    "ad-conversions": {
        "event_id": "18446744073709551615-v",
        "impression_id": "18446744073709551615",
        "event_time": EVENT_MS,
        "impression_time": EVENT_MS - 90_000,
        "click_id": "18446744073709551615-c",
        "click_time": EVENT_MS - 60_000,
        **_DIMENSIONS,
        "conversion_type": "purchase",
        "revenue_micros": 59_990_000,
        "currency": "USD",
    },
    "ad-metrics-1m": {
        "dimension": "placement",
        "value": "site:1fbe01fe",
        "window_start": 1_413_851_220_000,
        "window_end": 1_413_851_280_000,
        "kind": "ON_TIME",
        "impressions": 1200,
        "clicks": 198,
        "conversions": 3,
        "cost_micros": 1_480_800,
        "revenue_micros": 179_970_000,
        "currency": "USD",
        "emitted_at": NOW_MS - 1000,
    },
    "ad-metrics-5m": {
        "dimension": "total",
        "value": "all",
        "window_start": 1_413_851_100_000,
        "window_end": 1_413_851_400_000,
        "kind": "LATE",
        "impressions": 7,
        "clicks": 1,
        "conversions": 0,
        "cost_micros": 8_638,
        "revenue_micros": 0,
        "currency": "USD",
        "emitted_at": NOW_MS - 1000,
    },
    "dead-letters": {
        "dead_letter_id": "0123456789abcdef0123456789abcdef",
        "origin_type": "KAFKA",
        "topic": "ad-clicks",
        "partition": 1,
        "offset": 4711,
        "file_name": None,
        "file_sha256": None,
        "line": None,
        "key": b"18446744073709551615",
        "value": b"\x00\x00\x00\x00\x01\xff",
        "headers": [
            {"name": "trace", "value": b"\x00\xff"},
            {"name": "trace", "value": None},
        ],
        "record_timestamp": NOW_MS - 5000,
        "timestamp_type": "CREATE_TIME",
        "consumer_group": "ctr-stream",
        "service": "ctr-stream",
        "service_version": "0.1.0",
        "stage": "decode",
        "reason": "UNDECODABLE",
        "detail": "event_id: the bytes end here",
        "schema_id": 1,
        "first_failed_at": NOW_MS - 4000,
        "failed_at": NOW_MS - 4000,
        "attempts": 1,
        "replay_of": None,
    },
    "dead-letter-actions": {
        "dead_letter_id": "0123456789abcdef0123456789abcdef",
        "action": "REPLAY",
        "operation_id": "replay-20260101-030000-5f2d",
        "actor": "mina",
        "why": "the registry was restored",
        "selection": "{}",
        "topic": "ad-clicks",
        "partition": 1,
        "for_group": None,
        "rule": None,
        "rules_sha256": None,
        "tool_version": "0.1.0",
        "acted_at": NOW_MS,
    },
    "producer-progress": {
        "input": "replay:5f2d",
        "input_name": "train.gz",
        "options": "{}",
        "rows_read": 6000,
        "impressions": 6000,
        "clicks": 1031,
        "conversions": 12,
        "dead_letters": 0,
        "emitted_through": EVENT_MS,
        "events_emitted": 7043,
        "rebase_ms": 0,
        "finished": True,
        "updated_at": NOW_MS,
    },
}


def schema_of(topic: str, version: int = 1) -> dict[str, Any]:
    """A version of a topic's schema, as decoded JSON."""
    schema: dict[str, Any] = json.loads((AVRO / topic / f"v{version}.avsc").read_text("utf-8"))
    return schema


def varint(value: int) -> bytes:
    """A zigzag varint in its shortest form."""
    return unsigned_varint(value << 1 if value >= 0 else (-value << 1) - 1)


def unsigned_varint(value: int, at_least_bytes: int = 1) -> bytes:
    """A varint without zigzag; padded to a longer, equally valid form if asked for."""
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < at_least_bytes:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value: str | bytes) -> bytes:
    """A length and UTF-8 (or whatever bytes are given)."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(len(raw)) + raw


class Layout:
    """A record's body as its fields' bytes, so that one of them can be damaged."""

    def __init__(self, schema: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        self.fields: dict[str, bytes] = {}
        written = 0
        for count, field in enumerate(schema["fields"], start=1):
            first = {**schema, "fields": schema["fields"][:count]}
            out = io.BytesIO()
            schemaless_writer(out, parse_schema(copy.deepcopy(first)), dict(record))
            self.fields[field["name"]] = out.getvalue()[written:]
            written = len(out.getvalue())

    def body(self, **damaged: bytes) -> bytes:
        """The body, with some fields' bytes replaced."""
        if not damaged.keys() <= self.fields.keys():
            raise KeyError(f"no such field: {damaged.keys() - self.fields.keys()}")
        return b"".join({**self.fields, **damaged}.values())


def layout(topic: str, version: int = 1, **changed: Any) -> Layout:
    """A topic's record, with some values changed."""
    return Layout(schema_of(topic, version), {**RECORDS[topic], **changed})


def wire(schema_id: int, body: bytes, magic: int = 0) -> bytes:
    """Confluent's wire format."""
    return bytes([magic]) + schema_id.to_bytes(4, "big", signed=True) + body


def inline_schemas() -> dict[int, Any]:
    """The hypothetical writer schemas, by id."""
    impression = schema_of("ad-impressions")

    def variant(change: Any, version: int = 1) -> dict[str, Any]:
        schema = schema_of("ad-impressions", version)
        fields = {field["name"]: field for field in schema["fields"]}
        change(schema, fields)
        schema["fields"] = list(fields.values())
        return schema

    def later(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        fields["auction_id"] = {
            "name": "auction_id",
            "type": ["null", "string"],
            "default": None,
            "doc": "Added by a later version.",
        }

    def fewer(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        for name in ("device_id", "device_ip", "device_model", "attributes"):
            del fields[name]

    def promotions(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        fields["cost_micros"]["type"] = "int"
        fields["campaign_id"]["type"] = "bytes"
        fields["creative_width"]["type"] = ["int", "null"]
        del fields["creative_width"]["default"]
        fields["creative_height"]["type"] = "int"
        del fields["creative_height"]["default"]
        fields["device_id"]["type"] = ["null", "bytes"]
        fields["source"]["type"]["symbols"] = ["PARTNER", "AVAZU", "UNKNOWN"]
        last_first = dict(reversed(fields.items()))
        fields.clear()
        fields.update(last_first)

    def missing(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        del fields["event_id"]

    def namespace(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        schema["namespace"] = "elsewhere.events"

    def every_type(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        extra: list[dict[str, Any]] = [
            {"name": "x_null", "type": "null"},
            {"name": "x_boolean", "type": "boolean"},
            {"name": "x_int", "type": "int"},
            {"name": "x_long", "type": "long"},
            {"name": "x_float", "type": "float"},
            {"name": "x_double", "type": "double"},
            {"name": "x_bytes", "type": "bytes"},
            {"name": "x_string", "type": "string"},
            {"name": "x_fixed", "type": {"type": "fixed", "name": "Four", "size": 4}},
            {"name": "x_enum", "type": {"type": "enum", "name": "Colour", "symbols": ["R", "G"]}},
            {"name": "x_array", "type": {"type": "array", "items": "long"}},
            {"name": "x_map", "type": {"type": "map", "values": "bytes"}},
            {"name": "x_union", "type": ["null", "long", "string", "Four", "Colour"]},
            {
                "name": "x_record",
                "type": {
                    "type": "record",
                    "name": "Nested",
                    "fields": [
                        {"name": "a", "type": "string"},
                        {"name": "b", "type": ["null", "Colour"]},
                    ],
                },
            },
            {"name": "x_records", "type": {"type": "array", "items": "Nested"}},
        ]
        ours = dict(fields)
        fields.clear()
        for name, field in ours.items():  # In the middle: what comes behind must still be read.
            fields[name] = field
            if name == "labelled":
                fields.update({item["name"]: item for item in extra})

    def branches(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        fields["event_time"]["type"] = ["null", "string", "long"]
        fields["device_model"]["type"] = ["null", "string", "boolean"]

    def more_models(schema: dict[str, Any], fields: dict[str, Any]) -> None:
        fields["pricing_model"]["type"]["symbols"] = ["CPC", "CPA", "CPM", "UNKNOWN"]

    return {
        LATER_WITH_A_FIELD: variant(later),
        ANOTHER_RECORD_TYPE: {
            "type": "record",
            "name": "AdBid",
            "namespace": "marketing_roas.events",
            "fields": impression["fields"],
        },
        FEWER_FIELDS: variant(fewer),
        PROMOTIONS: variant(promotions),
        MISSING_WITHOUT_DEFAULT: variant(missing),
        ANOTHER_NAMESPACE: variant(namespace),
        NOT_A_RECORD: "string",
        EVERY_AVRO_TYPE: variant(every_type),
        UNREADABLE_BRANCHES: variant(branches),
        MORE_PRICING_MODELS: variant(more_models, version=2),
    }
