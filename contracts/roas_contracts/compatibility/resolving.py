"""Puts definitions in the place of names that were used before they were defined.

What Avro's Java does here decides which defaults it takes: a record has no fields until everything
inside it is resolved, and a default that leads into such a record is refused. So the order, in
which records get their fields, is Java's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from roas_contracts.compatibility.defaults import (
    UnfinishedRecordError,
    invalid_default,
    is_default,
)
from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.schema import (
    ArraySchema,
    AvroSchema,
    MapSchema,
    NamedSchema,
    RecordSchema,
    Reference,
    UnionSchema,
)

_Path: TypeAlias = tuple[str | int, ...]


def require_distinct(branches: Sequence[AvroSchema]) -> None:
    """Raise InvalidSchemaError if a union holds a union, or a type twice."""
    names: set[str] = set()
    for index, branch in enumerate(branches):
        if isinstance(branch, UnionSchema):
            raise InvalidSchemaError("a union directly inside a union", f"/{index}")
        if isinstance(branch, Reference) and branch.definition is None:
            continue  # Looked at again when it has one.
        if branch.full_name in names:
            raise InvalidSchemaError(f"{branch.full_name} is twice in a union", f"/{index}")
        names.add(branch.full_name)


class Resolution:
    """Of one text's schema.

    Args:
        named: its named types in the order in which their definitions ended.
    """

    def __init__(self, named: Mapping[str, NamedSchema], schema: AvroSchema) -> None:
        self._named = named
        self._schema = schema
        self._started: set[int] = set()

    def resolve(self) -> AvroSchema:
        """The schema without a reference in it.

        Raises:
            InvalidSchemaError: a name has no definition, or a default or a union is not valid.
        """
        if isinstance(self._schema, Reference):
            raise _undefined(self._schema)
        everything = [schema for schema, _ in _walk(self._schema)]
        for schema in everything:
            if isinstance(schema, RecordSchema):
                schema.has_fields = False
        for start in (*self._named.values(), self._schema):
            self._visit(start)
        for schema in everything:
            _replace_references(schema)
        return self._schema

    def _visit(self, start: AvroSchema) -> None:
        """Depth first, what is inside before what holds it; a union's last branch comes first."""
        visited: set[int] = set()
        waiting: list[tuple[AvroSchema, bool]] = [(start, False)]
        while waiting:
            schema, is_inside_done = waiting.pop()
            if is_inside_done:
                self._finish(schema)
            elif id(schema) not in visited:
                visited.add(id(schema))
                self._start(schema)
                waiting.append((schema, True))
                inside = [(child, False) for child, _ in _children(schema)]
                waiting += inside if isinstance(schema, UnionSchema) else reversed(inside)

    def _start(self, schema: AvroSchema) -> None:
        if isinstance(schema, RecordSchema):
            self._started.add(id(schema))
        elif isinstance(schema, Reference) and schema.definition is None:
            definition = self._named.get(schema.target)
            if definition is None:
                raise self._located(_undefined(schema), schema)
            if isinstance(definition, RecordSchema) and id(definition) not in self._started:
                self._visit(definition)
            schema.definition = definition

    def _finish(self, schema: AvroSchema) -> None:
        try:
            if isinstance(schema, UnionSchema):
                require_distinct(schema.branches)
            elif isinstance(schema, RecordSchema) and not schema.has_fields:
                _judge_defaults(schema)
                schema.has_fields = True
        except InvalidSchemaError as error:
            raise self._located(error, schema) from None

    def _located(self, error: InvalidSchemaError, schema: AvroSchema) -> InvalidSchemaError:
        place = next(path for found, path in _walk(self._schema) if found is schema)
        for token in reversed(place):
            error.inside(token)
        return error


def _children(schema: AvroSchema) -> list[tuple[AvroSchema, _Path]]:
    """What a schema holds, and where."""
    if isinstance(schema, RecordSchema):
        return [(f.schema, ("fields", index, "type")) for index, f in enumerate(schema.fields)]
    if isinstance(schema, UnionSchema):
        return [(branch, (index,)) for index, branch in enumerate(schema.branches)]
    if isinstance(schema, ArraySchema):
        return [(schema.items, ("items",))]
    if isinstance(schema, MapSchema):
        return [(schema.values, ("values",))]
    return []


def _walk(root: AvroSchema) -> Iterator[tuple[AvroSchema, _Path]]:
    """Every schema once, in the order of the text, with its first place in it."""
    seen: set[int] = set()
    waiting: list[tuple[AvroSchema, _Path]] = [(root, ())]
    while waiting:
        schema, path = waiting.pop()
        if id(schema) not in seen:
            seen.add(id(schema))
            yield schema, path
            waiting += [(child, (*path, *where)) for child, where in reversed(_children(schema))]


def _judge_defaults(record: RecordSchema) -> None:
    for index, field in enumerate(record.fields):
        if not field.has_default:
            continue
        try:
            fits = is_default(field.default, field.schema)
        except UnfinishedRecordError as error:
            raise InvalidSchemaError(
                f"the default of {field.name} leads into {error}, which holds this field itself",
                f"/fields/{index}/default",
            ) from None
        if not fits:
            raise invalid_default(field.name, field.default, field.schema).inside(index).inside(
                "fields"
            )


def _replace_references(schema: AvroSchema) -> None:
    if isinstance(schema, RecordSchema):
        for field in schema.fields:
            field.schema = _definition(field.schema)
    elif isinstance(schema, UnionSchema):
        schema.branches = [_definition(branch) for branch in schema.branches]
    elif isinstance(schema, ArraySchema):
        schema.items = _definition(schema.items)
    elif isinstance(schema, MapSchema):
        schema.values = _definition(schema.values)


def _definition(schema: AvroSchema) -> AvroSchema:
    if not isinstance(schema, Reference):
        return schema
    assert schema.definition is not None, "every reference was visited"
    return schema.definition


def _undefined(reference: Reference) -> InvalidSchemaError:
    return InvalidSchemaError(f"{reference.target} is not defined anywhere in this text")
