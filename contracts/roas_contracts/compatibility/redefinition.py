"""Whether a name that is defined twice is defined alike: then Avro's Java takes it as one."""

from collections.abc import Mapping
from typing import Any

from roas_contracts.compatibility.schema import (
    ArraySchema,
    AvroSchema,
    EnumSchema,
    Field,
    FixedSchema,
    MapSchema,
    NamedSchema,
    RecordSchema,
    Reference,
    UnionSchema,
)


def same_definition(one: AvroSchema, other: AvroSchema) -> bool:
    """Equality of Avro's Java: documentation, aliases and an enum's default do not count.

    A name that is not known yet equals nothing, so two definitions of a type that holds itself
    are different.
    """
    if one is other:
        return True
    if one.type != other.type or isinstance(one, Reference) or isinstance(other, Reference):
        return False
    if not same_json(one.properties, other.properties):
        return False
    if isinstance(one, NamedSchema):
        assert isinstance(other, NamedSchema)
        return one.full_name == other.full_name and _same_content(one, other)
    if isinstance(one, ArraySchema) and isinstance(other, ArraySchema):
        return same_definition(one.items, other.items)
    if isinstance(one, MapSchema) and isinstance(other, MapSchema):
        return same_definition(one.values, other.values)
    if isinstance(one, UnionSchema) and isinstance(other, UnionSchema):
        return len(one.branches) == len(other.branches) and all(
            map(same_definition, one.branches, other.branches)
        )
    return True


def same_json(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1, 1.0 and true are three values."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return repr(one) == repr(other)  # NaN is itself, -0.0 is not 0.0.
    return type(one) is type(other) and bool(one == other)


def _same_content(one: NamedSchema, other: NamedSchema) -> bool:
    if isinstance(one, EnumSchema) and isinstance(other, EnumSchema):
        return list(one.symbols) == list(other.symbols)
    if isinstance(one, FixedSchema) and isinstance(other, FixedSchema):
        return one.size == other.size
    assert isinstance(one, RecordSchema)
    assert isinstance(other, RecordSchema)
    return len(one.fields) == len(other.fields) and all(map(_same_field, one.fields, other.fields))


def _same_field(one: Field, other: Field) -> bool:
    return (
        one.name == other.name
        and one.order == other.order
        and same_json(one.default, other.default)
        and same_json(one.properties, other.properties)
        and same_definition(one.schema, other.schema)
    )
