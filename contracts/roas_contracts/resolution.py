"""From a writer's schema to ours: compiles the pair into one function that reads a record.

Avro's schema resolution: fields are matched by name (or by an alias of ours), fields that we lack
are walked and dropped, fields that the writer lacks get our default, an enum symbol that we lack
becomes our enum's default, numbers are promoted (int → long → float → double), string and bytes
are interchangeable (bytes that are not UTF-8 don't decode as text).

Schemas and names are `roas_contracts.compatibility`'s, so what its rule calls compatible can be
read; a property test holds the two together.
"""

import copy
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from roas_contracts import avro_reading as read
from roas_contracts.avro_reading import ReadFunction, UndecodableError
from roas_contracts.avro_schema import NotAvroError
from roas_contracts.compatibility import (
    ArraySchema,
    AvroSchema,
    EnumSchema,
    Field,
    FixedSchema,
    InvalidSchemaError,
    MapSchema,
    NamedSchema,
    RecordSchema,
    UnionSchema,
    incompatibilities,
    parse_schema,
)
from roas_contracts.default_values import UnusableDefaultError, value_of_default

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
    """A function that reads what `writer` wrote as a value of `reader`.

    Both are decoded JSON, or parsed already.

    It raises UndecodableError, and IndexError or UnicodeDecodeError from the depth of a value
    that is not inside a record.

    Raises:
        UnresolvableError: no value of the writer can be read.
        NotAvroError: one of them is not an Avro schema.
    """
    return _Compiler(enums).resolve(_schema(writer), _schema(reader))


def _schema(given: Any) -> AvroSchema:
    if isinstance(given, AvroSchema):
        return given
    try:
        return parse_schema(json.dumps(given))
    except InvalidSchemaError as error:
        raise NotAvroError(str(error)) from error


class _Compiler:
    def __init__(self, enums: EnumTypes) -> None:
        self._enums = enums
        self._started: dict[tuple[int, int], list[ReadFunction]] = {}
        """Of each pair of records; empty while the function is being made."""

    def resolve(self, writer: AvroSchema, reader: AvroSchema) -> ReadFunction:
        """A schema that is read as itself (the same object) is walked: no name is looked up."""
        if isinstance(writer, UnionSchema):
            return self._writer_union(writer, reader)
        if isinstance(reader, UnionSchema):
            return self._reader_union(writer, reader)
        if writer.type in _PRIMITIVES:
            return _primitive(writer.type, reader.type)
        if writer.type != reader.type:
            raise UnresolvableError(f"{writer.type} can't be read as {reader.type}")
        if isinstance(writer, MapSchema) and isinstance(reader, MapSchema):
            return read.read_map(self.resolve(writer.values, reader.values))
        if isinstance(writer, ArraySchema) and isinstance(reader, ArraySchema):
            return read.read_array(self.resolve(writer.items, reader.items))
        assert isinstance(writer, NamedSchema)
        assert isinstance(reader, NamedSchema)
        return self._named(writer, reader)

    def _named(self, writer: NamedSchema, reader: NamedSchema) -> ReadFunction:
        # As the rule has it: by the name alone, or by an alias of ours, which is a full name.
        if writer.name != reader.name and writer.full_name not in reader.aliases:
            raise UnresolvableError(f"{writer.full_name} can't be read as {reader.full_name}")
        if isinstance(writer, EnumSchema) and isinstance(reader, EnumSchema):
            return self._enum(writer, reader)
        if isinstance(writer, FixedSchema) and isinstance(reader, FixedSchema):
            if writer.size != reader.size:
                raise UnresolvableError(f"{writer.full_name} has another size")
            return read.read_fixed(writer.size)
        assert isinstance(writer, RecordSchema)
        assert isinstance(reader, RecordSchema)
        return self._known_record(writer, reader)

    def _known_record(self, writer: RecordSchema, reader: RecordSchema) -> ReadFunction:
        pair = (id(writer), id(reader))
        if pair in self._started:  # A record inside itself: its function is bound when it exists.
            cell = self._started[pair]
            return lambda data, position: cell[0](data, position)
        before = len(self._started)
        self._started[pair] = cell = []
        try:
            cell.append(self._record(writer, reader))
        except UnresolvableError:
            # With it go the records inside, which may lead back to it.
            for failed in list(self._started)[before:]:
                del self._started[failed]
            raise
        return cell[0]

    def _writer_union(self, writer: UnionSchema, reader: AvroSchema) -> ReadFunction:
        branches: list[ReadFunction] = []
        readable = 0
        for branch in writer.branches:
            try:
                branches.append(self.resolve(branch, branch if writer is reader else reader))
                readable += 1
            except UnresolvableError as error:
                branches.append(_refusal(str(error)))
        if branches and not readable:
            raise UnresolvableError("no branch of the writer's union can be read")
        if len(branches) == 2 and writer.branches[0].type == "null" and readable == 2:
            return read.read_nullable(branches[1])
        known = tuple(branches)
        count = len(known)

        def read_union(data: bytes, position: int) -> tuple[Any, int]:
            index, position = read.read_long(data, position)
            if not 0 <= index < count:
                raise UndecodableError(f"union index {index} of {count} branches")
            return known[index](data, position)

        return read_union

    def _reader_union(self, writer: AvroSchema, reader: UnionSchema) -> ReadFunction:
        """Reads as the branch that fits best: all of the writer's values, of the same type, of the
        same full name, in this order of weight; the first of those that fit alike."""

        def unlikeness(branch: AvroSchema) -> tuple[bool, bool, bool]:
            return (
                bool(incompatibilities(reader=branch, writer=writer)),
                branch.type != writer.type,
                branch.full_name != writer.full_name,
            )

        reasons = []
        for branch in sorted(reader.branches, key=unlikeness):
            try:
                return self.resolve(writer, branch)
            except UnresolvableError as error:
                reasons.append(f": {error}" if branch.type == writer.type else "")
        raise UnresolvableError(f"{writer.type} is no branch of our union{''.join(reasons[:1])}")

    def _enum(self, writer: EnumSchema, reader: EnumSchema) -> ReadFunction:
        enum = self._enums.get(reader.full_name)
        ours = set(reader.symbols)
        symbols: list[str | None] = []
        for symbol in writer.symbols:
            known = symbol if symbol in ours else reader.default
            symbols.append(enum(known) if enum is not None and known is not None else known)
        values = tuple(symbols)
        count = len(values)

        def read_enum(data: bytes, position: int) -> tuple[str, int]:
            index, position = read.read_long(data, position)
            if not 0 <= index < count:
                raise UndecodableError(f"enum index {index} of {count} symbols")
            value = values[index]
            if value is None:
                raise UndecodableError(f"{writer.symbols[index]!r} is no symbol of ours")
            return value, position

        return read_enum

    def _record(self, writer: RecordSchema, reader: RecordSchema) -> ReadFunction:
        target_of = _targets(writer, reader)
        steps: list[tuple[str, str | None, ReadFunction]] = []
        for field in writer.fields:
            target = target_of.get(field.name)
            if target is None:
                # Walked under the writer's own schema, so that damage in it is still seen.
                walk = _Compiler({}).resolve(field.schema, field.schema)
                steps.append((field.name, None, walk))
                continue
            try:
                function = self.resolve(field.schema, target.schema)
            except UnresolvableError as error:
                raise UnresolvableError(f"{field.name}: {error}") from error
            # Interned as the events' own field names are: building an event then compares
            # pointers instead of text, which halves its cost.
            steps.append((field.name, sys.intern(target.name), function))
        filled = {target.name for target in target_of.values()}
        defaults = {}
        for field in reader.fields:
            if field.name not in filled:
                if not field.has_default:
                    raise UnresolvableError(f"{field.name} is missing and has no default")
                try:
                    value = value_of_default(field.schema, field.default, self._enums)
                except UnusableDefaultError as error:
                    raise UnresolvableError(f"{field.name}: its default {error}") from error
                defaults[field.name] = value
        return _record_function(tuple(steps), defaults)


def _targets(writer: RecordSchema, reader: RecordSchema) -> Mapping[str, Field]:
    """Our field for each of the writer's fields that we have, by our name or else by an alias."""
    if writer is reader:
        return writer.by_name
    found: dict[str, Field] = {}
    for field in reader.fields:
        written = [n for n in (field.name, *field.aliases) if n in writer.by_name]
        if len(written) > 1:
            raise UnresolvableError(f"{field.name} would be {' and '.join(written)} at once")
        if written and (written[0] == field.name or written[0] not in found):
            found[written[0]] = field
    return found


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
