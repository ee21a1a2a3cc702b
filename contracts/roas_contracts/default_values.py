"""A field's default as a value: JSON has no bytes, no enums, and leaves out a record's defaults."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from roas_contracts.compatibility import (
    ArraySchema,
    AvroSchema,
    EnumSchema,
    FixedSchema,
    MapSchema,
    RecordSchema,
    UnionSchema,
)
from roas_contracts.compatibility.defaults import is_default


class UnusableDefaultError(ValueError):
    """Avro takes it for a default, and yet there is no such value."""


def value_of_default(schema: AvroSchema, value: Any, enums: Mapping[str, type[StrEnum]]) -> Any:
    """What a reader gets where the writer has no such field.

    Args:
        schema: the field's.
        value: its default, as decoded JSON that Avro takes for one.
        enums: the Python type for an enum, by full name; others are plain strings.

    Raises:
        UnusableDefaultError: an enum's is none of its symbols, bytes' has letters beyond a byte, a
            fixed type's has another length.
    """
    if isinstance(schema, UnionSchema):
        branch = next(each for each in schema.branches if is_default(value, each))
        return value_of_default(branch, value, enums)
    if schema.type == "bytes" or isinstance(schema, FixedSchema):
        return _bytes(schema, value)
    if schema.type in ("float", "double"):
        return float(value)
    if isinstance(schema, EnumSchema):
        if value not in schema.symbols:
            raise UnusableDefaultError(f"{value!r} is no symbol of {schema.full_name}")
        enum = enums.get(schema.full_name)
        return enum(value) if enum is not None else value
    if isinstance(schema, MapSchema):
        return {key: value_of_default(schema.values, each, enums) for key, each in value.items()}
    if isinstance(schema, ArraySchema):
        return [value_of_default(schema.items, each, enums) for each in value]
    if isinstance(schema, RecordSchema):
        return {
            field.name: value_of_default(field.schema, value.get(field.name, field.default), enums)
            for field in schema.fields
        }
    return value


def _bytes(schema: AvroSchema, value: str) -> bytes:
    try:
        encoded = value.encode("latin-1")
    except UnicodeEncodeError:
        raise UnusableDefaultError(f"{value!r} has letters that are no bytes") from None
    if isinstance(schema, FixedSchema) and len(encoded) != schema.size:
        raise UnusableDefaultError(
            f"{value!r} has {len(encoded)} bytes, {schema.full_name} has {schema.size}"
        )
    return encoded
