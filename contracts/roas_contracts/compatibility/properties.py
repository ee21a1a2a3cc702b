"""Attributes of a type or a field that Avro does not define; they are kept and mean nothing."""

from collections.abc import Mapping
from typing import Any, Final

from roas_contracts.compatibility.defaults import LONG_MAX, LONG_MIN
from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.json_text import is_integer

_OF_TYPES: Final = frozenset(
    (
        "aliases",
        "doc",
        "fields",
        "items",
        "name",
        "namespace",
        "size",
        "symbols",
        "type",
        "values",
    )
)
_OF_ENUMS: Final = _OF_TYPES | {"default"}
_OF_FIELDS: Final = frozenset(("aliases", "default", "doc", "name", "order", "type"))


def type_properties(
    node: Mapping[str, Any], *, is_enum: bool = False, is_copied: bool = False
) -> dict[str, Any]:
    """The attributes of a type.

    Args:
        is_copied: of a type that holds others. Avro's Java copies these attributes, and fails at a
            whole number beyond 64 bits.

    Raises:
        InvalidSchemaError: it would fail.
    """
    properties = _without(node, _OF_ENUMS if is_enum else _OF_TYPES)
    if is_copied:
        for key, value in properties.items():
            if _has_large_number(value):
                raise InvalidSchemaError("a number beyond 64 bits", f"/{key}")
    return properties


def field_properties(node: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a field."""
    return _without(node, _OF_FIELDS)


def _without(node: Mapping[str, Any], reserved: frozenset[str]) -> dict[str, Any]:
    if node.keys() <= reserved:
        return {}
    return {key: value for key, value in node.items() if key not in reserved}


def _has_large_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_large_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_large_number, value))
    return is_integer(value) and not LONG_MIN <= value <= LONG_MAX
