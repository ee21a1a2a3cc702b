"""Avro schemas in parsed form: full names everywhere, as fastavro makes it."""

import copy
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

Schema: TypeAlias = str | list[Any] | dict[str, Any]
"""A schema in parsed form: a name, a union, or anything else."""

NamedSchemas: TypeAlias = Mapping[str, dict[str, Any]]
"""Records, enums and fixed types by their full names."""

PRIMITIVES: Final = frozenset(
    ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
)


class NotAvroError(ValueError):
    """It is not an Avro schema; the message says why."""


class UndefinedNameError(NotAvroError):
    """A name is used before its definition, which Avro's Java takes, and fastavro does not."""

    def __init__(self, name: str) -> None:
        self.simple_name = name.rpartition(".")[2]
        super().__init__(
            f"the type {name} is used before it is defined: define it where it is first used"
        )


def parse(schema: Any) -> tuple[Schema, NamedSchemas]:
    """A schema (decoded JSON) in parsed form, and its named types.

    Raises:
        NotAvroError: it is not an Avro schema.
    """
    named: dict[str, dict[str, Any]] = {}
    try:
        return parse_schema(copy.deepcopy(schema), named_schemas=named), named
    except UnknownType as error:
        raise UndefinedNameError(error.name) from error
    except (SchemaParseException, ValueError, TypeError, LookupError, AttributeError) as error:
        # fastavro answers nonsense with whatever it stumbles over.
        raise NotAvroError(f"{type(error).__name__}: {error}") from error


def type_of(schema: Schema) -> str:
    """The name of a schema's type, "union" for a union."""
    if isinstance(schema, list):
        return "union"
    return schema if isinstance(schema, str) else str(schema["type"])


def dereference(schema: Schema, names: NamedSchemas) -> Schema:
    """The schema behind a name, and inside {"type": {"type": …}}."""
    if isinstance(schema, str) and schema not in PRIMITIVES:
        return names[schema]
    if isinstance(schema, dict) and not isinstance(schema["type"], str):
        return dereference(schema["type"], names)
    return schema
