"""Cases for every rule but the body's bytes (those are in body_cases.py)."""

import random
from typing import Any

from roas_corpus import records
from roas_corpus.cases import GROUP, Cases, Header
from roas_corpus.records import EVENT_MS, NOW_MS, RECORDS, TOPIC_IDS, layout, wire

TOPICS = ("ad-clicks", "ad-conversions", "ad-impressions")
EARLIEST_MS = 1_262_304_000_000
LATEST_MS = NOW_MS + 600_000
SEED = 20_141_021


def add(cases: Cases) -> None:
    """All of them."""
    _null_values(cases)
    _other_groups(cases)
    _wire_format(cases)
    _unknown_ids(cases)
    _record_types(cases)
    _times(cases)
    _currencies(cases)
    _ids(cases)
    _money(cases)
    _order_of_rules(cases)


def good(topic: str, **changed: Any) -> bytes:
    """A good record's value."""
    return wire(TOPIC_IDS[topic], layout(topic, **changed).body())


def _null_values(cases: Cases) -> None:
    impressions = "ad-impressions"
    for topic in TOPICS:
        clock = [("roas-heartbeat", str(EVENT_MS).encode())]
        cases.heartbeat(f"heartbeat {topic}", topic, EVENT_MS, headers=clock)
        cases.dead(f"null value without headers {topic}", topic, None, "NULL_VALUE")
    good_clocks: dict[str, tuple[bytes, int]] = {
        "at the lower bound": (str(EARLIEST_MS).encode(), EARLIEST_MS),
        "at the upper bound": (str(LATEST_MS).encode(), LATEST_MS),
        "with leading zeros, 19 digits": (str(EVENT_MS).zfill(19).encode(), EVENT_MS),
    }
    for name, (text, time) in good_clocks.items():
        cases.heartbeat(f"heartbeat {name}", impressions, time, headers=[("roas-heartbeat", text)])
    bad_clocks: dict[str, bytes | None] = {
        "before the lower bound": str(EARLIEST_MS - 1).encode(),
        "behind the upper bound": str(LATEST_MS + 1).encode(),
        "20 digits": str(EVENT_MS).zfill(20).encode(),
        "19 nines": b"9" * 19,
        "largest long": str(2**63 - 1).encode(),
        "largest long + 1": str(2**63).encode(),
        "wraps to a good time in 64 bits": str(2**64 + EVENT_MS).encode()[:20],
        "zero": b"0",
        "empty": b"",
        "no value": None,
        "plus sign": b"+" + str(EVENT_MS).encode(),
        "minus sign": b"-" + str(EVENT_MS).encode(),
        "blank before": b" " + str(EVENT_MS).encode(),
        "blank behind": str(EVENT_MS).encode() + b" ",
        "line end": str(EVENT_MS).encode() + b"\n",
        "underscore": b"1413851_234567",
        "hexadecimal": b"0x14930c1b3c7",
        "letters": b"now",
        "decimal point": b"1413851234567.0",
        "arabic-indic digits": "١٤١٣٨٥١٢٣٤٥٦٧".encode(),
        "fullwidth digits": "１４１３８５１２３４５".encode(),
        "eight bytes binary": EVENT_MS.to_bytes(8, "big"),
        "nul behind": str(EVENT_MS).encode() + b"\0",
    }
    for name, value in bad_clocks.items():
        header = [("roas-heartbeat", value)]
        cases.dead(f"heartbeat {name}", impressions, None, "NULL_VALUE", headers=header)
    clock_text = str(EVENT_MS).encode()
    bad_headers: dict[str, list[Header]] = {
        "other header": [("heartbeat", clock_text)],
        "name in capitals": [("ROAS-HEARTBEAT", clock_text)],
        "name with a blank": [("roas-heartbeat ", clock_text)],
        "repeated, the last is bad": [("roas-heartbeat", clock_text), ("roas-heartbeat", b"x")],
        "repeated, the last has no value": [
            ("roas-heartbeat", clock_text),
            ("roas-heartbeat", None),
        ],
    }
    for name, headers in bad_headers.items():
        cases.dead(f"heartbeat {name}", impressions, None, "NULL_VALUE", headers=headers)
    good_headers: dict[str, list[Header]] = {
        "repeated, the last is good": [("roas-heartbeat", b"x"), ("roas-heartbeat", clock_text)],
        "among other headers": [("a", b"1"), ("roas-heartbeat", clock_text), ("a", None)],
        "for another group": [("roas-for-group", b"other"), ("roas-heartbeat", clock_text)],
    }
    for name, headers in good_headers.items():
        cases.heartbeat(f"heartbeat {name}", impressions, EVENT_MS, headers=headers)
    cases.event(
        "an event with a heartbeat header is an event",
        impressions,
        good(impressions),
        headers=[("roas-heartbeat", clock_text)],
    )
    cases.dead("empty value", impressions, b"", "NOT_WIRE_FORMAT")


def _other_groups(cases: Cases) -> None:
    own = GROUP.encode()
    topic = "ad-clicks"
    another: dict[str, list[Header]] = {
        "another group": [("roas-for-group", b"batch")],
        "own group as prefix": [("roas-for-group", own + b"2")],
        "prefix of own group": [("roas-for-group", own[:-1])],
        "own group in capitals": [("roas-for-group", own.upper())],
        "own group with a blank": [("roas-for-group", own + b" ")],
        "not UTF-8": [("roas-for-group", b"\xff\xfe")],
        "repeated, the last is another": [("roas-for-group", own), ("roas-for-group", b"batch")],
    }
    for name, headers in another.items():
        cases.skipped(f"for {name}", topic, good(topic), headers=headers)
    ours: dict[str, list[Header]] = {
        "own group": [("roas-for-group", own)],
        "no group: no value": [("roas-for-group", None)],
        "no group: empty": [("roas-for-group", b"")],
        "repeated, the last is own": [("roas-for-group", b"batch"), ("roas-for-group", own)],
        "repeated, the last has no value": [("roas-for-group", b"batch"), ("roas-for-group", None)],
        "header name in capitals": [("Roas-For-Group", b"batch")],
        "own group, a replay": [("roas-replay-of", b"0" * 32), ("roas-for-group", own)],
    }
    for name, headers in ours.items():
        cases.event(f"for {name}", topic, good(topic), headers=headers)
    other: list[Header] = [("roas-for-group", b"batch")]
    cases.skipped("for another group, empty value", topic, b"", headers=other)
    cases.skipped("for another group, unknown id", topic, wire(99, b""), headers=other)
    cases.skipped("for another group, random bytes", topic, b"\x07\xff\x00", headers=other)
    cases.dead("for another group, null value", topic, None, "NULL_VALUE", headers=other)


def _wire_format(cases: Cases) -> None:
    for topic in TOPICS:
        value = good(topic)
        for length in range(1, 5):
            cases.dead(f"{length} bytes of {topic}", topic, value[:length], "NOT_WIRE_FORMAT")
    topic = "ad-impressions"
    body = layout(topic).body()
    for magic in range(1, 256):
        cases.dead(
            f"magic byte {magic}", topic, wire(TOPIC_IDS[topic], body, magic), "NOT_WIRE_FORMAT"
        )
    cases.dead("avro without wire format", topic, b"\x28" + body, "NOT_WIRE_FORMAT")
    cases.dead("json", topic, b'{"event_id": "1"}', "NOT_WIRE_FORMAT")
    draw = random.Random(SEED)
    for number in range(40):
        raw = bytes([draw.randrange(1, 256)]) + draw.randbytes(draw.randrange(0, 200))
        cases.dead(f"random bytes {number}", draw.choice(TOPICS), raw, "NOT_WIRE_FORMAT")


def _unknown_ids(cases: Cases) -> None:
    topic = "ad-conversions"
    body = layout(topic).body()
    for schema_id in (0, 8, 98, records.UNKNOWN_ID, 100, 2**31 - 1, -1, -(2**31)):
        cases.dead(
            f"unknown schema id {schema_id}", topic, wire(schema_id, body), "UNKNOWN_SCHEMA_ID"
        )
    cases.dead("unknown schema id without body", topic, wire(99, b""), "UNKNOWN_SCHEMA_ID")
    little_endian = b"\0" + TOPIC_IDS[topic].to_bytes(4, "little") + body
    cases.dead("schema id in the wrong byte order", topic, little_endian, "UNKNOWN_SCHEMA_ID")


def _record_types(cases: Cases) -> None:
    for topic in TOPICS:
        for other, schema_id in TOPIC_IDS.items():
            if other != topic:
                value = wire(schema_id, layout(other).body())
                cases.dead(f"{other} in {topic}", topic, value, "WRONG_RECORD_TYPE")
    topic = "ad-impressions"
    body = layout(topic).body()
    for name, schema_id in {
        "another record with the same fields": records.ANOTHER_RECORD_TYPE,
        "same name in another namespace": records.ANOTHER_NAMESPACE,
        "no record": records.NOT_A_RECORD,
    }.items():
        cases.dead(name, topic, wire(schema_id, body), "WRONG_RECORD_TYPE")
        cases.dead(f"{name}, no body", topic, wire(schema_id, b""), "WRONG_RECORD_TYPE")


def _times(cases: Cases) -> None:
    reason = "EVENT_TIME_OUT_OF_BOUNDS"
    bad_times = (EARLIEST_MS - 1, LATEST_MS + 1, 0, -1, 2**63 - 1, -(2**63), EVENT_MS * 1000)
    for topic in TOPICS:
        follows = topic != "ad-impressions"
        early = {"impression_time": EARLIEST_MS} if follows else {}
        for time in (EARLIEST_MS, EARLIEST_MS + 1, NOW_MS, LATEST_MS - 1, LATEST_MS):
            cases.record(f"{topic} at {time}", topic, event_time=time, **early)
        for time in bad_times:
            cases.bad_record(f"{topic} at {time}", topic, reason, event_time=time, **early)
        if follows:
            for time in (EARLIEST_MS, EVENT_MS - 1, EVENT_MS):
                cases.record(f"{topic} shown at {time}", topic, impression_time=time)
            for time in (EARLIEST_MS - 1, EVENT_MS + 1, -1, 2**63 - 1, -(2**63)):
                cases.bad_record(f"{topic} shown at {time}", topic, reason, impression_time=time)
    for clicked in (None, 0, 2**63 - 1):  # Informative: no rule looks at it.
        cases.record(f"conversion clicked at {clicked}", "ad-conversions", click_time=clicked)


def _currencies(cases: Cases) -> None:
    for topic in TOPICS:
        for currency in ("EUR", "usd", "US", "USDT", " USD", "USD\0", "", "ＵＳＤ", "U" * 300):
            name = f"{topic} in {currency[:8]!r} of {len(currency)}"
            cases.bad_record(name, topic, "FOREIGN_CURRENCY", currency=currency)


def _ids(cases: Cases) -> None:
    fields = {
        "ad-impressions": ("event_id", "campaign_id", "placement_id"),
        "ad-clicks": ("event_id", "impression_id", "campaign_id", "placement_id"),
        "ad-conversions": ("event_id", "impression_id", "campaign_id", "placement_id"),
    }
    good_ids = {
        "256 bytes": "x" * 256,
        "256 bytes of two each": "é" * 128,
        "256 bytes of four each": "🙂" * 64,
        "blank": " ",
        "control characters": "\x01\x7f",
    }
    bad_ids = {
        "empty": "",
        "257 bytes": "x" * 257,
        "257 bytes of two each": "é" * 128 + "x",
        "260 bytes of four each": "🙂" * 65,
        "1,000 bytes": "x" * 1_000,
        "nul": "\0",
        "nul inside": "a\0b",
    }
    for topic, names in fields.items():
        for field in names:
            for name, value in good_ids.items():
                cases.record(f"{topic} {field} {name}", topic, **{field: value})
            for name, value in bad_ids.items():
                cases.bad_record(
                    f"{topic} {field} {name}", topic, "INVALID_FIELD", **{field: value}
                )
    for field in ("advertiser_id", "creative_id", "placement_domain", "placement_category"):
        cases.record(f"{field} may be empty", "ad-impressions", **{field: ""})
        cases.record(f"{field} may be long", "ad-impressions", **{field: "x" * 300})
    cases.record("conversion_type may be empty", "ad-conversions", conversion_type="")
    cases.record("click_id may be empty", "ad-conversions", click_id="")


def _money(cases: Cases) -> None:
    for topic in TOPICS:
        field = "revenue_micros" if topic == "ad-conversions" else "cost_micros"
        for micros in (0, 1, 10**15 - 1, 10**15):
            cases.record(f"{topic} {field} {micros}", topic, **{field: micros})
        for micros in (-1, 10**15 + 1, 2**63 - 1, -(2**63)):
            cases.bad_record(f"{topic} {field} {micros}", topic, "INVALID_FIELD", **{field: micros})


def _order_of_rules(cases: Cases) -> None:
    """Records that break several rules: the first one gives the reason."""
    topic = "ad-clicks"
    schema_id = TOPIC_IDS[topic]
    cases.dead("wrong magic and unknown id", topic, wire(99, b"", 1), "NOT_WIRE_FORMAT")
    cases.dead("unknown id and no body", topic, wire(99, b""), "UNKNOWN_SCHEMA_ID")
    wrong_type = wire(TOPIC_IDS["ad-impressions"], b"\xff")
    cases.dead("wrong type and undecodable", topic, wrong_type, "WRONG_RECORD_TYPE")
    late = layout(topic, event_time=0, currency="EUR", event_id="", cost_micros=-1)
    cases.dead("everything, cut short", topic, wire(schema_id, late.body()[:-1]), "UNDECODABLE")
    trailing = wire(schema_id, late.body() + b"\0")
    cases.dead("everything, with a byte behind", topic, trailing, "TRAILING_BYTES")
    order: list[tuple[str, dict[str, Any]]] = [
        ("EVENT_TIME_OUT_OF_BOUNDS", {"event_time": 0}),
        ("EVENT_TIME_OUT_OF_BOUNDS", {"impression_time": 0}),
        ("FOREIGN_CURRENCY", {"currency": "EUR"}),
        ("INVALID_FIELD", {"event_id": "", "cost_micros": -1}),
    ]
    for first in range(len(order)):
        broken: dict[str, Any] = {}
        for _, change in order[first:]:
            broken |= change
        cases.bad_record(f"rules from {first} on all broken", topic, order[first][0], **broken)
    incompatible = wire(records.MISSING_WITHOUT_DEFAULT, b"\0" * 500)
    cases.dead("unresolvable with bytes behind", "ad-impressions", incompatible, "UNDECODABLE")
    assert RECORDS[topic]["currency"] == "USD"
