"""Random records of every topic, for property tests (hypothesis)."""

from typing import Any

from hypothesis import strategies as st

from roas_contracts.codec import ENUMS, event_builder
from roas_contracts.events import Event
from roas_contracts.subjects import load_subject

LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z: other readers turn times into datetimes, which end here."""

_TEXT = st.text(st.characters(codec="utf-8"), max_size=80)


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values of a schema in parsed form."""
    if isinstance(schema, list):
        return st.one_of([values(branch) for branch in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "enum":
        enum = ENUMS[schema["name"]]
        return st.sampled_from([enum(symbol) for symbol in schema["symbols"]])
    if kind == "map":
        return st.dictionaries(_TEXT, values(schema["values"]), max_size=5)
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=4)
    if kind == "record":
        return st.fixed_dictionaries({f["name"]: values(f["type"]) for f in schema["fields"]})
    if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-millis":
        return st.integers(0, LAST_MS)
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "bytes": st.binary(max_size=100),
        "string": _TEXT,
    }[kind]


def events(topic: str) -> st.SearchStrategy[Event]:
    """Any event of a topic that its schema can hold; the rules are not asked."""
    return values(load_subject(topic).latest.parsed).map(event_builder(topic))
