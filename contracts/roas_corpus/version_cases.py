"""Cases for version 2 of impressions and clicks: what is charged, read by the new and the old.

Version 2 adds `pricing_model`. A service that is built with the contracts of version 1 reads the
same bytes, as the release before did: it drops the field and judges nothing by it. Such cases say
`contracts_version` 1.
"""

from typing import Any

from roas_corpus.body_cases import TOO_LONG, UNDECODABLE
from roas_corpus.cases import Cases
from roas_corpus.records import (
    MORE_PRICING_MODELS,
    RECORDS,
    TOPIC_IDS,
    VERSION_2_IDS,
    Layout,
    inline_schemas,
    layout,
    unsigned_varint,
    varint,
    wire,
)

MODELS = ("UNKNOWN", "CPM", "CPC")
FREE = {"ad-impressions": "CPC", "ad-clicks": "CPM"}
"""Topic → the model under which its events are free."""


def add(cases: Cases) -> None:
    """All of them."""
    for topic in VERSION_2_IDS:
        _charged(cases, topic)
        _damaged(cases, topic)
        _order_of_rules(cases, topic)
    _more_models(cases)


def _written(topic: str, **changed: Any) -> bytes:
    return wire(VERSION_2_IDS[topic], layout(topic, 2, **changed).body())


def _charged(cases: Cases, topic: str) -> None:
    for model in MODELS:
        for cost in (0, 1, 10**15):
            change = {"pricing_model": model, "cost_micros": cost}
            name, value = f"{topic} of version 2, {model}, {cost}", _written(topic, **change)
            if cost and model == FREE[topic]:
                cases.dead(name, topic, value, "INVALID_FIELD")
            else:
                cases.event(name, topic, value, change)
            unpriced = {"cost_micros": cost}
            cases.event(f"{name}, old reader", topic, value, unpriced, contracts_version=1)
    old = wire(TOPIC_IDS[topic], layout(topic).body())
    cases.event(f"{topic} of version 1, old reader", topic, old, contracts_version=1)


def _damaged(cases: Cases, topic: str) -> None:
    new, old = VERSION_2_IDS[topic], TOPIC_IDS[topic]
    bodies = {
        "index -1": (new, layout(topic, 2).body(pricing_model=varint(-1)), UNDECODABLE),
        "index 3": (new, layout(topic, 2).body(pricing_model=varint(3)), UNDECODABLE),
        "index 2^32": (new, layout(topic, 2).body(pricing_model=varint(2**32)), UNDECODABLE),
        "index too long": (
            new,
            layout(topic, 2).body(pricing_model=TOO_LONG["eleven bytes"]),
            UNDECODABLE,
        ),
        "no model": (new, layout(topic).body(), UNDECODABLE),
        "two models": (new, layout(topic, 2).body() + b"\x02", "TRAILING_BYTES"),
        "under version 1's id": (old, layout(topic, 2).body(), "TRAILING_BYTES"),
    }
    for name, (schema_id, body, reason) in bodies.items():
        value = wire(schema_id, body)
        cases.dead(f"{topic} of version 2, {name}", topic, value, reason)
        cases.dead(
            f"{topic} of version 2, {name}, old reader", topic, value, reason, contracts_version=1
        )
    for length in range(2, 11):
        model = MODELS.index(FREE[topic])
        padded = layout(topic, 2).body(pricing_model=unsigned_varint(model << 1, length))
        name = f"{topic} of version 2, model in {length} bytes"
        cases.dead(name, topic, wire(new, padded), "INVALID_FIELD")


def _order_of_rules(cases: Cases, topic: str) -> None:
    twice: dict[str, Any] = {"pricing_model": FREE[topic], "cost_micros": 1}
    for field, wrong, reason in (
        ("event_id", "", "INVALID_FIELD"),
        ("currency", "EUR", "FOREIGN_CURRENCY"),
        ("event_time", 0, "EVENT_TIME_OUT_OF_BOUNDS"),
    ):
        value = _written(topic, **twice, **{field: wrong})
        cases.dead(f"{topic} charged twice and {field} {wrong!r}", topic, value, reason)
    value = _written(topic, **{**twice, "cost_micros": -1})
    cases.dead(f"{topic} charged twice and below 0", topic, value, "INVALID_FIELD")


def _more_models(cases: Cases) -> None:
    """A writer that is newer still: one more model, and ours at other places."""
    topic, schema = "ad-impressions", inline_schemas()[MORE_PRICING_MODELS]

    def written(model: str) -> bytes:
        record = {**RECORDS[topic], "pricing_model": model}
        return wire(MORE_PRICING_MODELS, Layout(schema, record).body())

    cases.event("a model at another place", topic, written("CPM"), {"pricing_model": "CPM"})
    cases.event("a model that we lack", topic, written("CPA"))
    cases.event("no model, at another place", topic, written("UNKNOWN"))
    cases.dead("charged twice, at another place", topic, written("CPC"), "INVALID_FIELD")
    value = written("CPC")
    cases.event("charged twice, old reader", topic, value, contracts_version=1)
