"""From a writer's schema to ours: compiles the pair into one function that reads a record.

Avro's schema resolution: fields are matched by name (or by an alias of ours), fields that we lack
are walked and dropped, fields that the writer lacks get our default, an enum symbol that we lack
becomes our enum's default, numbers are promoted (int → long → float → double), string and bytes
are interchangeable (bytes that are not UTF-8 don't decode as text).
"""

import copy
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from roas_contracts import avro_reading as read
from roas_contracts.avro_reading import ReadFunction, UndecodableError
from roas_contracts.avro_schema import (
    NamedSchemas,
    Schema,
    dereference,
    full_names,
    parse,
    type_of,
)

EnumTypes: TypeAlias = Mapping[str, type[StrEnum]]
"""The Python type for an Avro enum, by full name; others are read as plain strings."""

_PRIMITIVES: Final[Mapping[str, ReadFunction]] = {
    "null": read.read_null,
    "boolean": read.read_boolean,
    "int": read.read_int,
    "long": read.read_long,
    "float": read.read_float,
    "double": read.read_double,
    "bytes": read.read_bytes,
    "string": read.read_string,
}

_PROMOTIONS: Final[Mapping[tuple[str, str], Callable[[Any], Any] | None]] = {
    ("int", "long"): None,  # The same bytes, the same Python value.
    ("int", "float"): float,
    ("int", "double"): float,
    ("long", "float"): float,
    ("long", "double"): float,
    ("float", "double"): None,
    ("string", "bytes"): str.encode,
    ("bytes", "string"): bytes.decode,
}


class UnresolvableError(Exception):
    """The writer's schema can't be read as ours, whatever the bytes are."""


def compile_reader(writer: Any, reader: Any, enums: EnumTypes) -> ReadFunction:
    """A function that reads what `writer` wrote as a value of `reader` (both decoded JSON).

    It raises UndecodableError, and IndexError or UnicodeDecodeError from the depth of a value
    that is not inside a record.

    Raises:
        UnresolvableError: no value of the writer can be read.
        NotAvroError: one of them is not an Avro schema.
    """
    writer_schema, writer_names = parse(writer)
    reader_schema, reader_names = parse(reader)
    return _Compiler(writer_names, reader_names, enums).resolve(writer_schema, reader_schema)


class _Compiler:
    def __init__(
        self,
        writer_names: NamedSchemas,
        reader_names: NamedSchemas,
        enums: EnumTypes,
    ) -> None:
        self._writer_names = writer_names
        self._reader_names = reader_names
        self._enums = enums
        self._started: dict[tuple[str, str], list[ReadFunction]] = {}

    def resolve(self, writer: Schema, reader: Schema) -> ReadFunction:
        writer = dereference(writer, self._writer_names)
        reader = dereference(reader, self._reader_names)
        if isinstance(writer, list):
            return self._writer_union(writer, reader)
        if isinstance(reader, list):
            return self._reader_union(writer, reader)
        writer_type, reader_type = type_of(writer), type_of(reader)
        if writer_type in _PRIMITIVES:
            return _primitive(writer_type, reader_type)
        if writer_type != reader_type:
            raise UnresolvableError(f"{writer_type} can't be read as {reader_type}")
        assert isinstance(writer, dict)
        assert isinstance(reader, dict)
        if writer_type == "map":
            return read.read_map(self.resolve(writer["values"], reader["values"]))
        if writer_type == "array":
            return read.read_array(self.resolve(writer["items"], reader["items"]))
        return self._named(writer_type, writer, reader)

    def _named(
        self, named_type: str, writer: dict[str, Any], reader: dict[str, Any]
    ) -> ReadFunction:
        if writer["name"] not in full_names(reader):
            raise UnresolvableError(f"{writer['name']} can't be read as {reader['name']}")
        if named_type == "enum":
            return self._enum(writer, reader)
        if named_type == "fixed":
            if writer["size"] != reader["size"]:
                raise UnresolvableError(f"{writer['name']} has another size")
            return read.read_fixed(writer["size"])
        pair = (writer["name"], reader["name"])
        if pair in self._started:  # A record inside itself: its function is bound when it exists.
            cell = self._started[pair]
            return lambda data, position: cell[0](data, position)
        self._started[pair] = cell = []
        cell.append(self._record(writer, reader))
        return cell[0]

    def _writer_union(self, writer: list[Any], reader: Schema) -> ReadFunction:
        branches: list[ReadFunction] = []
        readable = 0
        for branch in writer:
            try:
                branches.append(self.resolve(branch, reader))
                readable += 1
            except UnresolvableError as error:
                branches.append(_refusal(str(error)))
        if not readable:
            raise UnresolvableError("no branch of the writer's union can be read")
        if len(branches) == 2 and writer[0] == "null" and readable == 2:
            return read.read_nullable(branches[1])
        known = tuple(branches)
        count = len(known)

        def read_union(data: bytes, position: int) -> tuple[Any, int]:
            index, position = read.read_long(data, position)
            if not 0 <= index < count:
                raise UndecodableError(f"union index {index} of {count} branches")
            return known[index](data, position)

        return read_union

    def _reader_union(self, writer: Schema, reader: list[Any]) -> ReadFunction:
        """Reads as the branch of the same type, else as the first that it can be promoted to."""
        same = [b for b in reader if type_of(dereference(b, self._reader_names)) == type_of(writer)]
        for branch in [*same, *reader]:
            try:
                return self.resolve(writer, branch)
            except UnresolvableError:
                continue
        raise UnresolvableError(f"{type_of(writer)} is no branch of our union")

    def _enum(self, writer: dict[str, Any], reader: dict[str, Any]) -> ReadFunction:
        enum = self._enums.get(reader["name"])
        ours = set(reader["symbols"])
        symbols: list[str | None] = []
        for symbol in writer["symbols"]:
            known = symbol if symbol in ours else reader.get("default")
            symbols.append(enum(known) if enum is not None and known is not None else known)
        values = tuple(symbols)
        count = len(values)

        def read_enum(data: bytes, position: int) -> tuple[str, int]:
            index, position = read.read_long(data, position)
            if not 0 <= index < count:
                raise UndecodableError(f"enum index {index} of {count} symbols")
            value = values[index]
            if value is None:
                raise UndecodableError(f"{writer['symbols'][index]!r} is no symbol of ours")
            return value, position

        return read_enum

    def _record(self, writer: dict[str, Any], reader: dict[str, Any]) -> ReadFunction:
        ours = {}
        for field in reader["fields"]:
            for name in (field["name"], *field.get("aliases", ())):
                ours[name] = field
        steps: list[tuple[str, str | None, ReadFunction]] = []
        filled = set()
        for field in writer["fields"]:
            target = ours.get(field["name"])
            if target is None or target["name"] in filled:
                # Walked under the writer's own schema, so that damage in it is still seen.
                walk = _Compiler(self._writer_names, self._writer_names, {})
                steps.append((field["name"], None, walk.resolve(field["type"], field["type"])))
                continue
            filled.add(target["name"])
            try:
                function = self.resolve(field["type"], target["type"])
            except UnresolvableError as error:
                raise UnresolvableError(f"{field['name']}: {error}") from error
            # Interned as the events' own field names are: building an event then compares
            # pointers instead of text, which halves its cost.
            steps.append((field["name"], sys.intern(target["name"]), function))
        defaults: dict[str, Any] = {}
        for field in reader["fields"]:
            if field["name"] not in filled:
                if "default" not in field:
                    raise UnresolvableError(f"{field['name']} is missing and has no default")
                defaults[field["name"]] = self._default(field["type"], field["default"])
        return _record_function(tuple(steps), defaults)

    def _default(self, schema: Schema, value: Any) -> Any:
        """A default as a datum: JSON has no bytes and no enums."""
        schema = dereference(schema, self._reader_names)
        if isinstance(schema, list):
            return self._default(schema[0], value)
        kind = type_of(schema)
        if kind in ("bytes", "fixed"):
            return value.encode("latin-1")
        if kind in ("float", "double"):
            return float(value)
        if isinstance(schema, dict):
            if kind == "enum":
                enum = self._enums.get(schema["name"])
                return enum(value) if enum is not None else value
            if kind == "map":
                return {k: self._default(schema["values"], v) for k, v in value.items()}
            if kind == "array":
                return [self._default(schema["items"], item) for item in value]
            if kind == "record":
                return {
                    field["name"]: self._default(
                        field["type"], value.get(field["name"], field.get("default"))
                    )
                    for field in schema["fields"]
                }
        return value


def _record_function(
    steps: Sequence[tuple[str, str | None, ReadFunction]], defaults: Mapping[str, Any]
) -> ReadFunction:
    """Reads the writer's fields in order; one that we lack (target None) is walked and dropped."""
    targets = tuple((target, function) for _, target, function in steps)
    drops = any(target is None for target, _ in targets)

    def read_record(data: bytes, position: int) -> tuple[dict[Any, Any], int]:
        values: dict[str | None, Any] = {}
        if defaults:
            values.update(copy.deepcopy(defaults))
        done = 0
        try:
            for target, function in targets:
                values[target], position = function(data, position)
                done += 1
        except UndecodableError as error:
            raise error.inside(steps[done][0]) from None
        except IndexError:
            raise UndecodableError("the bytes end here", steps[done][0]) from None
        except UnicodeDecodeError as error:
            raise UndecodableError(f"not UTF-8: {error.reason}", steps[done][0]) from None
        if drops:
            del values[None]
        return values, position

    return read_record


def _primitive(writer_type: str, reader_type: str) -> ReadFunction:
    function = _PRIMITIVES[writer_type]
    if writer_type == reader_type:
        return function
    if (writer_type, reader_type) not in _PROMOTIONS:
        raise UnresolvableError(f"{writer_type} can't be read as {reader_type}")
    convert = _PROMOTIONS[writer_type, reader_type]
    if convert is None:
        return function

    def read_promoted(data: bytes, position: int) -> tuple[Any, int]:
        value, position = function(data, position)
        return convert(value), position

    return read_promoted


def _refusal(problem: str) -> ReadFunction:
    def refuse(data: bytes, position: int) -> tuple[Any, int]:
        raise UndecodableError(problem)

    return refuse
