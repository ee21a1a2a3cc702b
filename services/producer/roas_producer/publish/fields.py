"""What a contract's fields are to a file of a person: which kind of value, and whether one may be
left out. Read from the schema itself, so that a field of a newer version is known at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from roas_contracts.avro_schema import Schema, dereference, parse, type_of
from roas_contracts.codec import ENUMS
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_contracts.subjects import load_subject


class EventName(StrEnum):
    """What the rows of a file are."""

    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    CONVERSIONS = "conversions"

    @property
    def topic(self) -> str:
        """Where they go."""
        return _TOPICS[self]


_TOPICS: Final = {
    EventName.IMPRESSIONS: AD_IMPRESSIONS,
    EventName.CLICKS: AD_CLICKS,
    EventName.CONVERSIONS: AD_CONVERSIONS,
}


class FieldKind(StrEnum):
    """How a cell becomes a field's value."""

    ID = "id"
    TEXT = "text"
    INTEGER = "integer"
    TRUTH = "true or false"
    TIME = "time"
    MONEY = "money"
    ENUM = "one of a list"


@dataclass(frozen=True, slots=True)
class ContractField:
    """One field that a mapping may name."""

    name: str
    kind: FieldKind
    nullable: bool
    required: bool
    """Whether a value has to come from the file or the mapping."""
    default: Any = None
    """What is taken where there is none and none is required."""
    symbols: tuple[str, ...] = ()
    """Of an enum."""
    enum: type[StrEnum] | None = None


ATTRIBUTES: Final = "attributes"
SOURCE: Final = "source"
CURRENCY: Final = "currency"
NOT_KNOWN_CODE: Final = -1
"""Banner position, device or connection type that the file does not say."""

_IDS: Final = ("event_id", "impression_id", "click_id")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "labelled": True,
    "advertiser_id": "",
    "creative_id": "",
    "placement_type": "UNKNOWN",
    "placement_domain": "",
    "placement_category": "",
    "banner_pos": NOT_KNOWN_CODE,
    "device_type": NOT_KNOWN_CODE,
    "connection_type": NOT_KNOWN_CODE,
    "cost_micros": 0,
    "revenue_micros": 0,
    CURRENCY: None,
}
"""Fields without a default in the schema that a file may leave out all the same. The currency's
is the deployment's."""


def contract_fields(event: EventName) -> dict[str, ContractField]:
    """The fields of the newest version of an event's contract, in order, that a file can fill.

    Not among them: ``source`` (it is always EXTERNAL) and ``attributes`` (a table of their own).
    """
    parsed, names = parse(json.loads(load_subject(event.topic).latest.text))
    assert isinstance(parsed, dict)
    fields = (_field(one, names) for one in parsed["fields"])
    return {field.name: field for field in fields if field.name not in (SOURCE, ATTRIBUTES)}


def has_attributes(event: EventName) -> bool:
    """Whether the contract has a map for columns without a field of their own."""
    parsed = load_subject(event.topic).latest.parsed
    return any(one["name"] == ATTRIBUTES for one in parsed["fields"])


def _field(declared: Mapping[str, Any], names: Mapping[str, Any]) -> ContractField:
    name, schema = declared["name"], declared["type"]
    nullable = isinstance(schema, list)
    if nullable:
        schema = next(branch for branch in schema if branch != "null")
    inner = dereference(schema, names)
    enum = ENUMS.get(inner["name"]) if isinstance(inner, dict) and "symbols" in inner else None
    optional = nullable or "default" in declared or name in _DEFAULTS
    default = declared.get("default", _DEFAULTS.get(name))
    return ContractField(
        name=name,
        kind=_kind(name, inner, enum is not None),
        nullable=nullable,
        required=not optional,
        default=enum(default) if enum is not None and default is not None else default,
        symbols=tuple(inner["symbols"]) if enum is not None and isinstance(inner, dict) else (),
        enum=enum,
    )


def _kind(name: str, schema: Schema, is_enum: bool) -> FieldKind:
    if is_enum:
        return FieldKind.ENUM
    if name in _IDS:
        return FieldKind.ID
    if name.endswith("_micros"):
        return FieldKind.MONEY
    if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-millis":
        return FieldKind.TIME
    kinds = {"string": FieldKind.TEXT, "boolean": FieldKind.TRUTH}
    return kinds.get(type_of(schema), FieldKind.INTEGER)
