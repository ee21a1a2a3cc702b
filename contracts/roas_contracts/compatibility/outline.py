"""What a schema says, however it is spelt: to tell whether two texts are one schema."""

from typing import Any

from roas_contracts.compatibility.schema import (
    NO_DEFAULT,
    ArraySchema,
    AvroSchema,
    EnumSchema,
    Field,
    FixedSchema,
    MapSchema,
    NamedSchema,
    RecordSchema,
    UnionSchema,
)


def outline(schema: AvroSchema) -> Any:
    """Comparable data: equal for two schemas that differ in spelling only.

    Spelling is the order of keys, `{"type": "int"}` for `"int"`, a namespace that is written out or
    inherited: a registry may write a schema anew. Docs, defaults, aliases and unknown attributes
    are no spelling.
    """
    return _Outline().of(schema)


class _Outline:
    def __init__(self) -> None:
        self._defined: set[int] = set()

    def of(self, schema: AvroSchema) -> Any:
        if isinstance(schema, UnionSchema):
            return [self.of(branch) for branch in schema.branches]
        said: dict[str, Any] = {"type": schema.type, **schema.properties}
        if schema.logical_type is not None:
            said["logicalType"] = schema.logical_type
        if isinstance(schema, ArraySchema):
            said["items"] = self.of(schema.items)
        elif isinstance(schema, MapSchema):
            said["values"] = self.of(schema.values)
        elif isinstance(schema, NamedSchema):
            if id(schema) in self._defined:
                return schema.full_name
            self._defined.add(id(schema))
            said |= {"name": schema.full_name, "aliases": schema.aliases, "doc": schema.doc}
            said |= self._contents(schema)
        return said

    def _contents(self, schema: NamedSchema) -> dict[str, Any]:
        if isinstance(schema, FixedSchema):
            return {"size": schema.size}
        if isinstance(schema, EnumSchema):
            return {"symbols": list(schema.symbols), "default": schema.default}
        assert isinstance(schema, RecordSchema), "there is no other named type"
        return {"is_error": schema.is_error, "fields": [self._field(f) for f in schema.fields]}

    def _field(self, field: Field) -> dict[str, Any]:
        said = {
            "name": field.name,
            "type": self.of(field.schema),
            "aliases": list(field.aliases),
            "order": field.order,
            "doc": field.doc,
            **field.properties,
        }
        return said if field.default is NO_DEFAULT else {**said, "default": field.default}
