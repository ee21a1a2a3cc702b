"""Bugs that one might write into the rule; the fuzz has to find each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from roas_contracts.compatibility import (
    AvroSchema,
    EnumSchema,
    Field,
    InvalidSchemaError,
    NamedSchema,
    RecordSchema,
    UnionSchema,
    defaults,
    parsing,
    resolving,
    rule,
)


def promotes_long_to_int(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "PROMOTIONS", rule.PROMOTIONS | {("long", "int")})


def forgets_bytes_to_string(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "PROMOTIONS", rule.PROMOTIONS - {("bytes", "string")})


def compares_full_names(patch: pytest.MonkeyPatch) -> None:
    def wrong(reader: NamedSchema, writer: NamedSchema, path: str) -> Any:
        return original(replace(reader, name=reader.full_name), writer, path)

    original = rule._names
    patch.setattr(rule, "_names", wrong)


def ignores_type_aliases(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parsing, "_type_aliases", lambda node, namespace: [])


def aliases_have_no_namespace(patch: pytest.MonkeyPatch) -> None:
    original = parsing._type_aliases
    patch.setattr(parsing, "_type_aliases", lambda node, namespace: original(node, None))


def takes_the_first_of_two_fields(patch: pytest.MonkeyPatch) -> None:
    def wrong(field: Field, writer: RecordSchema, path: str) -> Field | None:
        found = [writer.by_name[n] for n in (field.name, *field.aliases) if n in writer.by_name]
        return found[0] if found else None

    patch.setattr(rule, "_written_field", wrong)


def ignores_the_enum_default(patch: pytest.MonkeyPatch) -> None:
    def wrong(reader: EnumSchema, writer: EnumSchema, path: str) -> Any:
        plain = EnumSchema("enum", reader.name, reader.namespace, reader.symbols)
        return original(plain, writer, path)

    original = rule._symbols
    patch.setattr(rule, "_symbols", wrong)


def takes_an_enum_default_for_a_fields(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, field: Field, writer: RecordSchema, path: str) -> Any:
        has_one = isinstance(field.schema, EnumSchema) and field.schema.default is not None
        return [] if has_one else original(self, field, writer, path)

    original = rule._Comparison._missing_default
    patch.setattr(rule._Comparison, "_missing_default", wrong)


def compares_fixed_by_name_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "_sizes", lambda reader, writer, path: [])


def gives_up_at_recursion(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, reader: AvroSchema, writer: AvroSchema, path: str) -> Any:
        pair = (id(reader), id(writer))
        if pair not in self._known and isinstance(reader, RecordSchema):
            self._known[pair] = [rule._type_mismatch("record", "record", path)]
            self._known[pair] = self._compare(reader, writer, path)
            return self._known[pair]
        return original(self, reader, writer, path)

    original = rule._Comparison.compare
    patch.setattr(rule._Comparison, "compare", wrong)


def remembers_no_place(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, reader: AvroSchema, writer: AvroSchema, path: str) -> Any:
        if isinstance(reader, NamedSchema) and not isinstance(reader, RecordSchema):
            return self._compare(reader, writer, path)
        return original(self, reader, writer, path)

    original = rule._Comparison.compare
    patch.setattr(rule._Comparison, "compare", wrong)


def takes_a_null_default_for_none(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Field, "has_default", property(lambda self: bool(self.default)))


def never_judges_defaults(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parsing, "is_default", lambda value, schema: True)


def takes_the_first_branch_for_a_default(patch: pytest.MonkeyPatch) -> None:
    def wrong(value: Any, schema: Any) -> bool:
        is_union = isinstance(schema, UnionSchema) and schema.branches
        return original(value, schema.branches[0] if is_union else schema)

    original = defaults.is_default
    patch.setattr(parsing, "is_default", wrong)


def knows_no_forward_references(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any) -> Any:
        raise InvalidSchemaError("used before it is defined")

    patch.setattr(resolving.Resolution, "resolve", wrong)


def resolves_before_it_judges(patch: pytest.MonkeyPatch) -> None:
    def wrong(record: RecordSchema) -> None:
        record.has_fields = True
        original(record)

    original = resolving._judge_defaults
    patch.setattr(resolving, "_judge_defaults", wrong)


def refuses_every_second_definition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parsing, "same_definition", lambda one, other: False)


def takes_every_second_definition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parsing, "same_definition", lambda one, other: True)


def lets_unions_repeat(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parsing, "require_distinct", lambda branches: None)


MUTANTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    promotes_long_to_int,
    forgets_bytes_to_string,
    compares_full_names,
    ignores_type_aliases,
    aliases_have_no_namespace,
    takes_the_first_of_two_fields,
    ignores_the_enum_default,
    takes_an_enum_default_for_a_fields,
    compares_fixed_by_name_only,
    gives_up_at_recursion,
    remembers_no_place,
    takes_a_null_default_for_none,
    never_judges_defaults,
    takes_the_first_branch_for_a_default,
    knows_no_forward_references,
    resolves_before_it_judges,
    refuses_every_second_definition,
    takes_every_second_definition,
    lets_unions_repeat,
]
