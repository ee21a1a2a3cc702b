"""From a schema's text to a schema, exactly as strictly as Apache Avro's Java 1.12.2.

Like there, a name may be used before it is defined, and only text gives a type its name:
`{"type": "R"}` names no record. What Java does not look at (an unknown attribute, a namespace in an
alias, a logical type that does not fit) is not looked at here either.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from roas_contracts.compatibility.defaults import as_number, invalid_default, is_default
from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.json_text import is_integer, read_json
from roas_contracts.compatibility.logical_types import logical_type
from roas_contracts.compatibility.names import require_name, require_namespace, split_name
from roas_contracts.compatibility.positions import line_of
from roas_contracts.compatibility.properties import field_properties, type_properties
from roas_contracts.compatibility.redefinition import same_definition
from roas_contracts.compatibility.resolving import Resolution, require_distinct
from roas_contracts.compatibility.schema import (
    NO_DEFAULT,
    PRIMITIVES,
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

_ORDERS: Final = frozenset(("ASCENDING", "DESCENDING", "IGNORE"))
_MAX_FIXED_SIZE: Final = 2**31 - 1 - 8


def parse_schema(text: str) -> AvroSchema:
    """The schema that a text (JSON) defines.

    Raises:
        InvalidSchemaError: Avro's Java would refuse it; says why, where, and in which line.
    """
    try:
        return _Parser().parse(read_json(text))
    except InvalidSchemaError as error:
        if error.line is None:
            error.line = line_of(text, error.path)
        raise
    except RecursionError:
        raise InvalidSchemaError("nested too deeply") from None


class _Parser:
    """Of one text."""

    def __init__(self) -> None:
        self._named: dict[str, NamedSchema] = {}
        self._has_references = False

    def parse(self, decoded: Any) -> AvroSchema:
        schema = self._schema(decoded, None)
        if self._has_references:
            return Resolution(self._named, schema).resolve()
        return schema

    def _schema(self, node: Any, namespace: str | None) -> AvroSchema:
        if isinstance(node, str):
            return self._find(node, namespace)
        if isinstance(node, list):
            return self._union(node, namespace)
        if not isinstance(node, dict):
            raise InvalidSchemaError(
                "a schema is a name, a list (a union) or an object with a type, not "
                + _json_type(node)
            )
        kind = node.get("type")
        if isinstance(kind, str) and kind in PRIMITIVES:
            properties = type_properties(node)
            return AvroSchema(
                kind, properties=properties, logical_type=logical_type(kind, properties)
            )
        make = _COMPLEX.get(kind) if isinstance(kind, str) else None
        if make is None:
            raise _no_type(kind)
        return make(self, node, namespace)

    def _find(self, name: str, namespace: str | None) -> AvroSchema:
        if name in PRIMITIVES:
            return AvroSchema(name)
        full_name = name if namespace is None or "." in name else f"{namespace}.{name}"
        found = self._named.get(full_name) or self._named.get(name)
        if found is None:
            self._has_references = True
            return Reference("reference", full_name)
        return found

    def _union(self, node: list[Any], namespace: str | None) -> AvroSchema:
        branches = []
        for index, branch in enumerate(node):
            try:
                branches.append(self._schema(branch, namespace))
            except InvalidSchemaError as error:
                raise error.inside(index) from None
        require_distinct(branches)
        return UnionSchema("union", branches)

    def _array(self, node: dict[str, Any], namespace: str | None) -> AvroSchema:
        items = self._inner(node, "items", namespace)
        return ArraySchema("array", items, properties=type_properties(node, is_copied=True))

    def _map(self, node: dict[str, Any], namespace: str | None) -> AvroSchema:
        values = self._inner(node, "values", namespace)
        return MapSchema("map", values, properties=type_properties(node, is_copied=True))

    def _inner(self, node: dict[str, Any], key: str, namespace: str | None) -> AvroSchema:
        if key not in node:
            raise InvalidSchemaError(f"{node['type']} without {key}")
        try:
            return self._schema(node[key], namespace)
        except InvalidSchemaError as error:
            raise error.inside(key) from None

    def _fixed(self, node: dict[str, Any], namespace: str | None) -> AvroSchema:
        name, space = _name(node, namespace)
        size = node.get("size")
        if not is_integer(size) or not 0 <= size <= _MAX_FIXED_SIZE:
            raise InvalidSchemaError(
                "a fixed needs a size: a whole number of bytes", _at("size", node)
            )
        properties = type_properties(node)
        return self._define(
            FixedSchema(
                "fixed",
                name,
                space,
                size,
                aliases=_type_aliases(node, space),
                doc=_text(node, "doc"),
                properties=properties,
                logical_type=logical_type("fixed", properties, size),
            )
        )

    def _enum(self, node: dict[str, Any], namespace: str | None) -> AvroSchema:
        name, space = _name(node, namespace)
        symbols = node.get("symbols")
        if not isinstance(symbols, list):
            raise InvalidSchemaError("an enum needs symbols: a list", _at("symbols", node))
        for index, symbol in enumerate(symbols):
            try:
                require_name(symbol if isinstance(symbol, str) else None)
                if symbols.index(symbol) != index:
                    raise InvalidSchemaError(f"the symbol {symbol} is there twice")
            except InvalidSchemaError as error:
                raise error.inside(index).inside("symbols") from None
        default = _text(node, "default")
        if default is not None and default not in symbols:
            raise InvalidSchemaError(f"the default {default!r} is none of the symbols", "/default")
        return self._define(
            EnumSchema(
                "enum",
                name,
                space,
                symbols,
                default,
                aliases=_type_aliases(node, space),
                doc=_text(node, "doc"),
                properties=type_properties(node, is_enum=True),
            )
        )

    def _record(self, node: dict[str, Any], namespace: str | None) -> AvroSchema:
        name, space = _name(node, namespace)
        declared = node.get("fields")
        if not isinstance(declared, list):
            raise InvalidSchemaError("a record needs fields: a list", _at("fields", node))
        by_name: dict[str, Field] = {}
        for index, declaration in enumerate(declared):
            try:
                field = self._field(declaration, space)
                if field.name in by_name:
                    raise InvalidSchemaError(f"the field {field.name} is there twice", "/name")
                by_name[field.name] = field
            except InvalidSchemaError as error:
                raise error.inside(index).inside("fields") from None
        return self._define(
            RecordSchema(
                "record",
                name,
                space,
                list(by_name.values()),
                by_name,
                is_error=node["type"] == "error",
                aliases=_type_aliases(node, space),
                doc=_text(node, "doc"),
                properties=type_properties(node, is_copied=True),
            )
        )

    def _field(self, node: Any, namespace: str | None) -> Field:
        if not isinstance(node, dict):
            raise InvalidSchemaError(f"a field is an object, not {_json_type(node)}")
        name = _text(node, "name")
        if name is None:
            raise InvalidSchemaError("a field needs a name: a string", _at("name", node))
        schema = self._inner(node, "type", namespace) if "type" in node else None
        if schema is None:
            raise InvalidSchemaError(f"the field {name} has no type")
        order = node.get("order", "ascending")
        if not isinstance(order, str) or order.upper() not in _ORDERS:
            raise InvalidSchemaError("an order is ascending, descending or ignore", "/order")
        try:
            require_name(name)
        except InvalidSchemaError as error:
            raise error.inside("name") from None
        default = node.get("default", NO_DEFAULT)
        if default is not NO_DEFAULT:
            default = as_number(default, schema)
            if not is_default(default, schema):
                raise invalid_default(name, default, schema)
        return Field(
            name,
            schema,
            default,
            _aliases(node),
            order.lower(),
            _text(node, "doc"),
            field_properties(node),
        )

    def _define(self, schema: NamedSchema) -> NamedSchema:
        known = self._named.setdefault(schema.full_name, schema)
        if known is not schema and not same_definition(known, schema):
            raise InvalidSchemaError(f"{schema.full_name} is defined twice, differently")
        return schema


_COMPLEX: Final[Mapping[str, Callable[[_Parser, dict[str, Any], str | None], AvroSchema]]] = {
    "record": _Parser._record,
    "error": _Parser._record,
    "enum": _Parser._enum,
    "array": _Parser._array,
    "map": _Parser._map,
    "fixed": _Parser._fixed,
}


def _name(node: dict[str, Any], namespace: str | None) -> tuple[str, str | None]:
    """Simple name and namespace of a named type."""
    declared = _text(node, "namespace")
    name = _text(node, "name")
    if name is None:
        raise InvalidSchemaError(f"{node['type']} without a name", _at("name", node))
    try:
        simple, space = split_name(name, namespace if declared is None else declared)
        require_namespace(space)
    except InvalidSchemaError as error:
        raise error.inside("name") from None
    if space is None and simple in PRIMITIVES:
        raise InvalidSchemaError(f"a type can't be named {simple}", "/name")
    return simple, space


def _type_aliases(node: dict[str, Any], namespace: str | None) -> list[str]:
    """Full names; one without a namespace starts with a dot where the type has one."""
    names = []
    for index, alias in enumerate(_aliases(node)):
        try:
            simple, space = split_name(alias, namespace)
        except InvalidSchemaError as error:
            raise error.inside(index).inside("aliases") from None
        names.append(f"{space or ''}.{simple}" if space or namespace else simple)
    return names


def _aliases(node: dict[str, Any]) -> list[str]:
    if "aliases" not in node:
        return []
    aliases = node["aliases"]
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise InvalidSchemaError("aliases are a list of strings", "/aliases")
    return list(dict.fromkeys(aliases))


def _text(node: dict[str, Any], key: str) -> str | None:
    value = node.get(key)
    return value if isinstance(value, str) else None


def _at(key: str, node: dict[str, Any]) -> str:
    """The place of an attribute, or of what should have it."""
    return f"/{key}" if key in node else ""


def _json_type(node: Any) -> str:
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "a boolean"
    names: dict[type, str] = {str: "a string", list: "a list", dict: "an object"}
    return names.get(type(node), "a number")


def _no_type(kind: Any) -> InvalidSchemaError:
    if kind is None:
        return InvalidSchemaError("no type")
    if isinstance(kind, str):
        return InvalidSchemaError(
            f"there is no type {kind!r}; a type that is defined elsewhere is named by a string, "
            f'not by {{"type": "{kind}"}}',
            "/type",
        )
    return InvalidSchemaError(
        "the type of a type is a string; a field's type may be an object, but not the type in it",
        "/type",
    )
