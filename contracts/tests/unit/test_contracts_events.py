"""The Python types are held against the schemas, field by field."""

import functools
import operator
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from roas_contracts import events
from roas_contracts.codec import ENUMS
from roas_contracts.events import TYPE_OF_TOPIC
from roas_contracts.subjects import load_subject, load_subjects

TOPICS = sorted(TYPE_OF_TOPIC)

PYTHON_TYPES: Mapping[str, Any] = {
    "boolean": bool,
    "int": int,
    "long": int,
    "string": str,
    "bytes": bytes,
    "null": type(None),
}


def expected_type(schema: Any) -> Any:
    if isinstance(schema, list):
        return functools.reduce(operator.or_, (expected_type(branch) for branch in schema))
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "enum":
        return ENUMS[schema["name"]]
    if kind == "map":
        return Mapping[str, expected_type(schema["values"])]  # type: ignore[misc]
    if kind == "array":
        assert schema["items"]["name"] == "marketing_roas.events.Header"
        assert [field["name"] for field in schema["items"]["fields"]] == ["name", "value"]
        return events.Headers
    return PYTHON_TYPES[kind]


def plain(hint: Any) -> Any:
    """Unions in one form, whichever way they are written."""
    if get_origin(hint) in (Union, types.UnionType):
        return frozenset(get_args(hint))
    return hint


def test_every_topic_has_a_type_and_every_type_a_topic() -> None:
    assert set(TYPE_OF_TOPIC) == set(load_subjects())
    assert set(TYPE_OF_TOPIC.values()) == set(get_args(events.Event))


@pytest.mark.parametrize("topic", TOPICS)
def test_fields_have_the_schemas_names_order_and_types(topic: str) -> None:
    schema = load_subject(topic).latest.parsed
    event_type = TYPE_OF_TOPIC[topic]
    hints = get_type_hints(event_type)

    assert [field.name for field in fields(event_type)] == [f["name"] for f in schema["fields"]]
    for field in schema["fields"]:
        assert plain(hints[field["name"]]) == plain(expected_type(field["type"])), field["name"]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_field_has_a_default_exactly_where_the_schema_has_one(topic: str) -> None:
    schema = load_subject(topic).latest.parsed
    for field, declared in zip(fields(TYPE_OF_TOPIC[topic]), schema["fields"], strict=True):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        assert has_default == ("default" in declared), field.name
        if field.default_factory is not MISSING:
            assert field.default_factory() == declared["default"]
        elif field.default is not MISSING:
            expected = declared["default"]
            assert field.default == (tuple(expected) if expected == [] else expected)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_record_is_named_after_its_type(topic: str) -> None:
    name = load_subject(topic).record_name
    suffix = {"ad-metrics-1m": "1m", "ad-metrics-5m": "5m"}.get(topic, "")
    assert name == f"marketing_roas.events.{TYPE_OF_TOPIC[topic].__name__}{suffix}"


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_an_enum_has_the_schemas_symbols_and_unknown_as_default(name: str) -> None:
    found = [schema for topic in TOPICS for schema in enums_in(load_subject(topic).latest.parsed)]
    same = [schema for schema in found if schema["name"] == name]
    assert same, "an enum that no schema has"
    for schema in same:
        assert [member.value for member in ENUMS[name]] == schema["symbols"]
        assert schema["default"] == schema["symbols"][0] == "UNKNOWN"


def test_every_enum_of_the_schemas_has_a_type() -> None:
    found = {e["name"] for topic in TOPICS for e in enums_in(load_subject(topic).latest.parsed)}
    assert found == set(ENUMS)
    assert all(issubclass(enum, StrEnum) for enum in ENUMS.values())


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_and_type_is_documented(topic: str) -> None:
    schema = load_subject(topic).latest.parsed
    assert schema["doc"]
    assert all(field["doc"] for field in schema["fields"])


def test_an_event_can_not_be_changed() -> None:
    beat = events.AdMetric(
        dimension="total",
        value="all",
        window_start=0,
        window_end=60_000,
        kind=events.DeltaKind.LATE,
        impressions=1,
        clicks=0,
        conversions=0,
        cost_micros=0,
        revenue_micros=0,
        currency="USD",
        emitted_at=1,
    )
    with pytest.raises(AttributeError):
        beat.clicks = 1  # type: ignore[misc]
    assert not hasattr(beat, "__dict__")


def enums_in(schema: Any) -> list[dict[str, Any]]:
    """Every enum inside a schema."""
    if isinstance(schema, list):
        return [enum for branch in schema for enum in enums_in(branch)]
    if not isinstance(schema, dict):
        return []
    if schema["type"] == "enum":
        return [schema]
    inner = [field["type"] for field in schema.get("fields", ())]
    inner += [schema[key] for key in ("items", "values") if key in schema]
    return [enum for part in inner for enum in enums_in(part)]
