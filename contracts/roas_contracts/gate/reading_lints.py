"""Lints of one schema: what Avro's rule takes for compatible, and no reader can follow."""

from collections.abc import Iterator

from roas_contracts.compatibility import (
    ArraySchema,
    AvroSchema,
    MapSchema,
    RecordSchema,
    UnionSchema,
)
from roas_contracts.default_values import UnusableDefaultError, value_of_default
from roas_contracts.gate.lints import Objection
from roas_contracts.gate.schema_tree import Field, Node, definitions


def objections(tree: Node, schema: AvroSchema) -> Iterator[Objection]:
    """What is objected to; both arguments are the same schema."""
    records = {record.full_name: record for record in _records(schema)}
    for node in definitions(tree):
        record = records.get(node.name or "") if node.kind == "record" else None
        if record is None:
            continue
        for field in node.fields:
            yield from _unusable_default(field, record)
            yield from _ambiguous_aliases(field, node)


def _unusable_default(field: Field, record: RecordSchema) -> Iterator[Objection]:
    known = record.by_name[field.name]
    if not known.has_default:
        return
    try:
        value_of_default(known.schema, known.default, {})
    except UnusableDefaultError as error:
        yield Objection(
            "default-unusable", f"{field.pointer}/default", field.path, f"the default {error}"
        )


def _ambiguous_aliases(field: Field, record: Node) -> Iterator[Objection]:
    names = {other.name for other in record.fields}
    others = {alias for other in record.fields if other is not field for alias in other.aliases}
    for alias in field.aliases:
        if alias in names or alias in others or field.aliases.count(alias) > 1:
            whose = "a field's name" if alias in names else "another alias"
            yield Objection(
                "alias-ambiguous",
                f"{field.pointer}/aliases",
                field.path,
                f"the alias {alias} of {field.name} is {whose} too",
            )


def _records(root: AvroSchema) -> Iterator[RecordSchema]:
    """Every record once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        schema = waiting.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        if isinstance(schema, RecordSchema):
            yield schema
            waiting += [field.schema for field in schema.fields]
        elif isinstance(schema, UnionSchema):
            waiting += schema.branches
        elif isinstance(schema, ArraySchema):
            waiting.append(schema.items)
        elif isinstance(schema, MapSchema):
            waiting.append(schema.values)
