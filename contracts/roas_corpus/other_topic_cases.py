"""Cases for the topics that only Python reads: metrics, dead letters, progress."""

from typing import Any

from roas_corpus.cases import Cases
from roas_corpus.records import NOW_MS, RECORDS, TOPIC_IDS, layout, text, varint, wire

METRICS = ("ad-metrics-1m", "ad-metrics-5m")
EARLIEST_MS = 1_262_304_000_000
LATEST_MS = NOW_MS + 600_000


def add(cases: Cases) -> None:
    """All of them."""
    for topic in (*METRICS, "dead-letters", "producer-progress"):
        value = wire(TOPIC_IDS[topic], layout(topic).body())
        cases.event(f"good {topic}", topic, value, event_time=_clock(topic))
        for length in range(5):
            cases.dead(f"{topic} cut to {length} bytes", topic, value[:length], "NOT_WIRE_FORMAT")
        for length in range(5, len(value)):
            cases.dead(f"{topic} cut to {length} bytes", topic, value[:length], "UNDECODABLE")
        cases.dead(f"{topic} with a byte behind", topic, value + b"\0", "TRAILING_BYTES")
        cases.dead(f"{topic} null", topic, None, "NULL_VALUE")
        cases.dead(f"{topic} unknown id", topic, wire(99, value[5:]), "UNKNOWN_SCHEMA_ID")
    one, five = METRICS
    for topic, other in ((one, five), (five, one)):
        value = wire(TOPIC_IDS[other], layout(other).body())
        cases.dead(f"{other} in {topic}", topic, value, "WRONG_RECORD_TYPE")
        _metric_rules(cases, topic)
    header = text("h") + varint(2) + b"\0"
    for name, raw in {
        "union index 2": varint(1) + header,
        "count of 2^40": varint(2**40),
        "name not UTF-8": varint(1) + text(b"\xff") + b"\0" + b"\0",
    }.items():
        value = wire(TOPIC_IDS["dead-letters"], layout("dead-letters").body(headers=raw))
        cases.dead(f"headers with {name}", "dead-letters", value, "UNDECODABLE")
    finished = layout("producer-progress").body(finished=b"\x02")
    value = wire(TOPIC_IDS["producer-progress"], finished)
    cases.dead("finished is 2", "producer-progress", value, "UNDECODABLE")


def _clock(topic: str, **changed: Any) -> int:
    """What a case states as event time: a window's start, or when it was written."""
    record = {**RECORDS[topic], **changed}
    for name in ("window_start", "failed_at", "updated_at"):
        if name in record:
            return int(record[name])
    raise KeyError(topic)


def _metric_rules(cases: Cases, topic: str) -> None:
    def good(name: str, **changed: Any) -> None:
        value = wire(TOPIC_IDS[topic], layout(topic, **changed).body())
        cases.event(f"{topic} {name}", topic, value, changed, _clock(topic, **changed))

    def bad(name: str, reason: str, **changed: Any) -> None:
        cases.bad_record(f"{topic} {name}", topic, reason, **changed)

    out = "EVENT_TIME_OUT_OF_BOUNDS"
    far = 2**62
    good("starts at the lower bound", window_start=EARLIEST_MS)
    good("starts at the upper bound", window_start=LATEST_MS, window_end=LATEST_MS + 60_000)
    bad("starts before the lower bound", out, window_start=EARLIEST_MS - 1)
    bad("starts behind the upper bound", out, window_start=LATEST_MS + 1, window_end=far)
    bad("emitted before the lower bound", out, emitted_at=EARLIEST_MS - 1)
    bad("emitted behind the upper bound", out, emitted_at=LATEST_MS + 1)
    bad(
        "ends where it starts",
        "INVALID_FIELD",
        window_end=1_413_851_100_000,
        window_start=1_413_851_100_000,
    )
    bad("in another currency", "FOREIGN_CURRENCY", currency="KRW")
    bad("without dimension", "INVALID_FIELD", dimension="")
    bad("without value", "INVALID_FIELD", value="")
    good("value of 264 bytes", value="unknown:" + "x" * 256)
    bad("value of 265 bytes", "INVALID_FIELD", value="unknown:" + "x" * 257)
    bad("value with a nul", "INVALID_FIELD", value="a\0b")
    bad("dimension with a nul", "INVALID_FIELD", dimension="\0")
    good("dimension that we don't know", dimension="country")
    bad("kind that we don't know", "INVALID_FIELD", kind="UNKNOWN")
    for field in ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros"):
        bad(f"takes {field} away", "INVALID_FIELD", **{field: -1})
        good(f"corrects {field}", kind="CORRECTION", **{field: -1})
        good(f"{field} has no upper bound", **{field: 2**63 - 1})
