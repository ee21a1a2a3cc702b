"""Cases for the Avro body: damage at every place, and odd forms that are valid."""

from roas_corpus.cases import Cases
from roas_corpus.records import (
    EVENT_MS,
    TOPIC_IDS,
    layout,
    text,
    unsigned_varint,
    varint,
    wire,
)

IMPRESSIONS = "ad-impressions"
TOPICS = ("ad-clicks", "ad-conversions", IMPRESSIONS)
UNDECODABLE = "UNDECODABLE"

BAD_UTF8 = {
    "overlong nul": b"\xc0\x80",
    "overlong slash": b"\xc0\xaf",
    "overlong two bytes": b"\xc1\xbf",
    "overlong three bytes": b"\xe0\x80\x80",
    "overlong three bytes, largest": b"\xe0\x9f\xbf",
    "overlong four bytes": b"\xf0\x80\x80\x80",
    "overlong four bytes, largest": b"\xf0\x8f\xbf\xbf",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "byte F5": b"\xf5\x80\x80\x80",
    "byte FE": b"\xfe",
    "byte FF": b"\xff",
    "continuation alone": b"\x80",
    "two bytes cut": b"\xc3",
    "three bytes cut": b"\xe2\x82",
    "four bytes cut": b"\xf0\x9f\x98",
    "bad second byte": b"\xc3\x28",
    "bad third byte": b"\xe2\x82\x28",
    "bad fourth byte": b"\xf0\x9f\x98\x28",
    "latin-1": "café".encode("latin-1"),
    "behind good text": b"good \xff",
    "before good text": b"\xff good",
}

GOOD_UTF8 = {
    "byte order mark": "\ufeffx",
    "noncharacter": "\uffff",
    "last before surrogates": "\ud7ff",
    "first behind surrogates": "\ue000",
    "U+10FFFF": "\U0010ffff",
    "korean": "마케팅",
    "line end": "a\nb",
}

BAD_LENGTHS = {
    "one beyond what is left": None,
    "-1": -1,
    "-2": -2,
    "int max": 2**31 - 1,
    "int max + 1": 2**31,
    "unsigned int max": 2**32 - 1,
    "4 GiB + 3": 2**32 + 3,
    "2^40": 2**40,
    "2^62": 2**62,
    "long max": 2**63 - 1,
    "long min": -(2**63),
}

TOO_LONG = {
    "eleven bytes": b"\x80" * 10 + b"\x00",
    "twenty bytes": b"\x80" * 19 + b"\x00",
    "ten bytes, 65 bits": b"\x80" * 9 + b"\x02",
    "ten bytes, 70 bits": b"\xff" * 9 + b"\x7f",
    "never ends": b"\xff" * 300,
}


def add(cases: Cases) -> None:
    """All of them."""
    _good_forms(cases)
    _truncations(cases)
    _trailing(cases)
    _varints(cases)
    _indexes(cases)
    _texts(cases)
    _lengths(cases)
    _blocks(cases)


def damaged(topic: str, **fields: bytes) -> bytes:
    """A record's value with some fields' bytes replaced."""
    return wire(TOPIC_IDS[topic], layout(topic).body(**fields))


def _good_forms(cases: Cases) -> None:
    for topic in TOPICS:
        cases.record(f"good {topic}", topic)
    for field in ("banner_pos", "device_type", "connection_type"):
        for code in (-1, 63, 64, -64, -65, 2**31 - 1, -(2**31)):
            cases.record(f"{field} {code}", IMPRESSIONS, **{field: code})
    for number in (None, 0, 2**31 - 1):
        cases.record(f"creative_width {number}", IMPRESSIONS, creative_width=number)
    for name in ("device_id", "device_ip", "device_model"):
        cases.record(f"{name} null", IMPRESSIONS, **{name: None})
        cases.record(f"{name} empty", IMPRESSIONS, **{name: ""})
        cases.record(f"{name} nul", IMPRESSIONS, **{name: "\0"})
    for source in ("UNKNOWN", "AVAZU", "GENERATED", "EXTERNAL"):
        cases.record(f"source {source}", "ad-clicks", source=source)
    for kind in ("UNKNOWN", "SITE", "APP"):
        cases.record(f"placement_type {kind}", "ad-clicks", placement_type=kind)
    cases.record("labelled false", IMPRESSIONS, labelled=False)
    cases.record("no attributes", IMPRESSIONS, attributes={})
    cases.record("many attributes", IMPRESSIONS, attributes={f"k{i}": "v" * i for i in range(100)})
    cases.record("view-through", "ad-conversions", click_id=None, click_time=None)
    for name, value in GOOD_UTF8.items():
        cases.record(f"text with {name}", IMPRESSIONS, campaign_id=value)


def _truncations(cases: Cases) -> None:
    for topic in TOPICS:
        value = wire(TOPIC_IDS[topic], layout(topic).body())
        for length in range(5, len(value)):
            cases.dead(f"{topic} cut to {length} bytes", topic, value[:length], UNDECODABLE)


def _trailing(cases: Cases) -> None:
    for topic in TOPICS:
        value = wire(TOPIC_IDS[topic], layout(topic).body())
        for name, tail in {
            "a nul": b"\0",
            "a byte": b"\xff",
            "a line end": b"\n",
            "itself": value,
            "its body": value[5:],
        }.items():
            cases.dead(f"{topic} with {name} behind", topic, value + tail, "TRAILING_BYTES")


def _varints(cases: Cases) -> None:
    numbers = ("event_time", "cost_micros", "banner_pos", "source", "campaign_id", "creative_width")
    for field in numbers:
        for name, raw in TOO_LONG.items():
            value = damaged(IMPRESSIONS, **{field: raw})
            cases.dead(f"{field} varint {name}", IMPRESSIONS, value, UNDECODABLE)
    for at_least in range(2, 11):
        raw = unsigned_varint(EVENT_MS << 1, at_least)
        value = damaged(IMPRESSIONS, event_time=raw)
        cases.event(f"event_time in at least {at_least} bytes", IMPRESSIONS, value)
        value = damaged(IMPRESSIONS, banner_pos=unsigned_varint(0, at_least))
        cases.event(f"banner_pos in {at_least} bytes", IMPRESSIONS, value)
        padded = unsigned_varint(8, at_least) + b"1722"
        value = damaged(IMPRESSIONS, campaign_id=padded)
        cases.event(f"a length in {at_least} bytes", IMPRESSIONS, value)
        value = damaged(IMPRESSIONS, source=unsigned_varint(2, at_least))
        cases.event(f"an enum index in {at_least} bytes", IMPRESSIONS, value)
        value = damaged(IMPRESSIONS, device_id=unsigned_varint(0, at_least))
        cases.event(f"a union index in {at_least} bytes", IMPRESSIONS, value)
    for number in (2**31, -(2**31) - 1, 2**32, 2**33, 2**62, 2**63 - 1, -(2**63)):
        for field in ("banner_pos", "device_type", "connection_type"):
            value = damaged(IMPRESSIONS, **{field: varint(number)})
            cases.dead(f"{field} of {number}", IMPRESSIONS, value, UNDECODABLE)
        value = damaged(IMPRESSIONS, creative_height=b"\x02" + varint(number))
        cases.dead(f"creative_height of {number}", IMPRESSIONS, value, UNDECODABLE)


def _indexes(cases: Cases) -> None:
    for field, count in (("source", 4), ("placement_type", 3), ("device_id", 2)):
        for index in (-1, -2, count, count + 1, 127, 2**31 - 1, 2**31, 2**32, -(2**63), 2**63 - 1):
            value = damaged(IMPRESSIONS, **{field: varint(index) + b"\0"})
            cases.dead(f"{field} index {index}", IMPRESSIONS, value, UNDECODABLE)
    for byte in (2, 3, 0x30, 0x31, 0x7F, 0x80, 0xFF):
        value = damaged(IMPRESSIONS, labelled=bytes([byte]))
        cases.dead(f"boolean byte {byte}", IMPRESSIONS, value, UNDECODABLE)


def _texts(cases: Cases) -> None:
    for name, raw in BAD_UTF8.items():
        value = damaged(IMPRESSIONS, event_id=text(raw))
        cases.dead(f"event_id {name}", IMPRESSIONS, value, UNDECODABLE)
    one = BAD_UTF8["surrogate pair"]
    for topic in TOPICS:
        for field in ("campaign_id", "advertiser_id", "placement_domain", "currency"):
            value = damaged(topic, **{field: text(one)})
            cases.dead(f"{topic} {field} with surrogates", topic, value, UNDECODABLE)
    value = damaged(IMPRESSIONS, device_ip=b"\x02" + text(one))
    cases.dead("device_ip with surrogates", IMPRESSIONS, value, UNDECODABLE)
    value = damaged("ad-conversions", conversion_type=text(one))
    cases.dead("conversion_type with surrogates", "ad-conversions", value, UNDECODABLE)
    key = varint(1) + text(one) + text("v") + b"\0"
    cases.dead("map key", IMPRESSIONS, damaged(IMPRESSIONS, attributes=key), UNDECODABLE)
    item = varint(1) + text("k") + text(one) + b"\0"
    cases.dead("map value", IMPRESSIONS, damaged(IMPRESSIONS, attributes=item), UNDECODABLE)


def _lengths(cases: Cases) -> None:
    body = layout(IMPRESSIONS)
    for field in ("event_id", "campaign_id", "placement_category", "currency"):
        names = list(body.fields)
        behind = b"".join(body.fields[name] for name in names[names.index(field) + 1 :])
        for name, length in BAD_LENGTHS.items():
            raw = varint(len(behind) + 1 if length is None else length)
            value = damaged(IMPRESSIONS, **{field: raw})
            cases.dead(f"{field} length {name}", IMPRESSIONS, value, UNDECODABLE)


def _blocks(cases: Cases) -> None:
    pair_1, pair_2 = text("C1") + text("1005"), text("C18") + text("0")
    both = pair_1 + pair_2
    padded_end = unsigned_varint(0, 3)
    good_maps = {
        "two blocks": varint(1) + pair_1 + varint(1) + pair_2 + b"\0",
        "a block with its size": varint(-2) + varint(len(both)) + both + b"\0",
        "two blocks, the first with its size": (
            varint(-1) + varint(len(pair_1)) + pair_1 + varint(1) + pair_2 + b"\0"
        ),
        "two blocks with their sizes": (
            varint(-1) + varint(len(pair_1)) + pair_1 + varint(-1) + varint(len(pair_2)) + pair_2
        )
        + b"\0",
        "equal keys": varint(3) + both + text("C1") + text("again") + b"\0",
        "an end of three bytes": varint(2) + both + padded_end,
        "a count of five bytes": unsigned_varint(4, 5) + both + b"\0",
        "no items in two bytes": unsigned_varint(0, 2),
        "a size that is too small": varint(-2) + varint(1) + both + b"\0",
        "a size of nothing": varint(-2) + varint(0) + both + b"\0",
        "a size of all that is left": varint(-2) + varint(len(both) + 1) + both + b"\0",
    }
    for name, raw in good_maps.items():
        cases.event(f"map in {name}", IMPRESSIONS, damaged(IMPRESSIONS, attributes=raw))
    bad_maps = {
        "no end": varint(2) + both,
        "one item too few": varint(3) + both + b"\0",
        "half an item": varint(1) + text("C1"),
        "a count of int max": varint(2**31 - 1) + both + b"\0",
        "a count of 2^40": varint(2**40) + both + b"\0",
        "a count of long max": varint(2**63 - 1) + both + b"\0",
        "a count of long min": varint(-(2**63)) + varint(len(both)) + both + b"\0",
        "a negative size": varint(-2) + varint(-1) + both + b"\0",
        "a size of long min": varint(-2) + varint(-(2**63)) + both + b"\0",
        "a size one beyond what is left": varint(-2) + varint(len(both) + 2) + both + b"\0",
        "a size of long max": varint(-2) + varint(2**63 - 1) + both + b"\0",
        "a negative count without size": varint(-2),
        "a negative key length": varint(1) + varint(-1) + text("v") + b"\0",
        "a key length beyond what is left": varint(1) + varint(100) + b"k",
        "a value length of 2^62": varint(1) + text("k") + varint(2**62) + b"\0",
    }
    for name, raw in bad_maps.items():
        value = damaged(IMPRESSIONS, attributes=raw)
        cases.dead(f"map with {name}", IMPRESSIONS, value, UNDECODABLE)
    fewer = varint(1) + pair_1 + b"\0" + pair_2 + b"\0"
    value = damaged(IMPRESSIONS, attributes=fewer)
    cases.dead("map with one item too many", IMPRESSIONS, value, "TRAILING_BYTES")
