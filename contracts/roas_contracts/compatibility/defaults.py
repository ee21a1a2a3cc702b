"""Whether a JSON value may be a field's default, as Avro's Java judges it.

Looser than one might think: an enum takes any string, a fixed takes a string of any length.
"""

import re
from typing import Any, Final

from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.json_text import is_integer
from roas_contracts.compatibility.schema import (
    ArraySchema,
    AvroSchema,
    MapSchema,
    RecordSchema,
    Reference,
    UnionSchema,
)

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

_TEXTUAL: Final = frozenset(("string", "bytes", "enum", "fixed"))

_JAVA_DOUBLE: Final = re.compile(
    r"[+-]?(?:NaN|Infinity|"
    r"(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?)",
    re.ASCII,
)
_JAVA_BLANKS: Final = "".join(map(chr, range(0x21)))


class UnfinishedRecordError(Exception):
    """The default can't be judged: its record is still waiting for its own fields."""


def is_default(value: Any, schema: AvroSchema) -> bool:
    """Whether a decoded JSON value is one of the schema.

    Raises:
        UnfinishedRecordError: it leads into a record that has no fields yet.
    """
    kind = schema.type
    if kind in _TEXTUAL:
        return isinstance(value, str)
    if isinstance(schema, UnionSchema):
        return any(is_default(value, branch) for branch in schema.branches)
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "int":
        return is_integer(value) and INT_MIN <= value <= INT_MAX
    if kind == "long":
        return is_integer(value) and LONG_MIN <= value <= LONG_MAX
    if kind in ("float", "double"):
        return isinstance(value, float) or is_integer(value)
    if isinstance(schema, ArraySchema):
        return isinstance(value, list) and all(is_default(item, schema.items) for item in value)
    if isinstance(schema, Reference) and schema.definition is not None:
        return is_default(value, schema.definition)
    if not isinstance(value, dict):
        return False
    if isinstance(schema, MapSchema):
        return all(is_default(item, schema.values) for item in value.values())
    if isinstance(schema, RecordSchema):
        return _is_record_default(value, schema)
    assert isinstance(schema, Reference)
    return True  # Judged again when its definition is known.


def _is_record_default(value: dict[str, Any], record: RecordSchema) -> bool:
    if not record.has_fields:
        raise UnfinishedRecordError(record.full_name)
    # A field's own default was judged when its record was made.
    return all(
        is_default(value[field.name], field.schema) if field.name in value else field.has_default
        for field in record.fields
    )


def as_number(value: Any, schema: AvroSchema) -> Any:
    """A default as Avro's Java keeps it: a string becomes a number for a float or double.

    Raises:
        InvalidSchemaError: Java's Double.parseDouble refuses the string.
    """
    if not isinstance(value, str) or schema.type not in ("float", "double"):
        return value
    text = value.strip(_JAVA_BLANKS)
    if not _JAVA_DOUBLE.fullmatch(text):
        raise InvalidSchemaError(f"{value!r} is not a number", "/default")
    digits = text.rstrip("fFdD")
    if "x" not in digits.lower():
        return float(digits)
    try:
        return float.fromhex(digits)
    except OverflowError:
        return float("-inf" if digits.startswith("-") else "inf")


def invalid_default(name: str, value: Any, schema: AvroSchema) -> InvalidSchemaError:
    """What is said of a default that is none."""
    shown = "null" if value is None else repr(value)
    return InvalidSchemaError(
        f"the default of {name}, {shown}, is not a value of its type {schema.full_name}",
        "/default",
    )
