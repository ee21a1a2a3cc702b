"""Can every value that was written with one schema be read with another?

`SchemaCompatibility.checkReaderWriterCompatibility` of Apache Avro's Java, which Schema Registry
asks: the same verdict, the same incompatibilities at the same places, in the same words.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roas_contracts.compatibility.schema import (
    PRIMITIVES,
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
from roas_contracts.errors import InputError

PROMOTIONS: Final = frozenset(
    (
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    )
)
"""(writer, reader): the types that are read as others."""


class IncompatibilityType(StrEnum):
    """Why data can't be read."""

    NAME_MISMATCH = "NAME_MISMATCH"
    FIXED_SIZE_MISMATCH = "FIXED_SIZE_MISMATCH"
    MISSING_ENUM_SYMBOLS = "MISSING_ENUM_SYMBOLS"
    READER_FIELD_MISSING_DEFAULT_VALUE = "READER_FIELD_MISSING_DEFAULT_VALUE"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    MISSING_UNION_BRANCH = "MISSING_UNION_BRANCH"
    AMBIGUOUS_FIELD = "AMBIGUOUS_FIELD"
    """A reader's field is, by its name and aliases, several fields of the writer. Avro's Java has
    no type for it: it throws, and Schema Registry calls that incompatible."""


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why a writer's data can't be read."""

    type: IncompatibilityType
    path: str
    """Place in the reader's schema, like a JSON pointer, "/" for the whole; a number behind a type
    that is no union is a branch of the writer's."""
    message: str


def incompatibilities(reader: AvroSchema, writer: AvroSchema) -> list[Incompatibility]:
    """Every reason why `reader` can't read what `writer` wrote; none if it can read everything.

    Raises:
        InputError: the schemas are nested too deeply to be compared.
    """
    try:
        return _Comparison().compare(reader, writer, "")
    except _AmbiguousFieldError as error:
        return [error.incompatibility]
    except RecursionError:
        raise InputError("the schemas are nested too deeply to be compared") from None


class _AmbiguousFieldError(Exception):
    """Ends the comparison: what else there is to say can't be known."""

    def __init__(self, incompatibility: Incompatibility) -> None:
        self.incompatibility = incompatibility
        super().__init__(incompatibility.message)


class _Comparison:
    """Of one pair. A pair of types that was compared keeps its answer, with its first place."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], list[Incompatibility]] = {}

    def compare(self, reader: AvroSchema, writer: AvroSchema, path: str) -> list[Incompatibility]:
        if reader.type in PRIMITIVES and writer.type in PRIMITIVES:
            return _primitives(reader.type, writer.type, path)
        pair = (id(reader), id(writer))
        found = self._known.get(pair)
        if found is None:
            self._known[pair] = []  # A type inside itself: compatible unless proven otherwise.
            found = self._known[pair] = self._compare(reader, writer, path)
        return found

    def _compare(self, reader: AvroSchema, writer: AvroSchema, path: str) -> list[Incompatibility]:
        if isinstance(writer, UnionSchema):
            if isinstance(reader, UnionSchema):
                return self._unions(reader, writer, path)
            found: list[Incompatibility] = []
            for index, branch in enumerate(writer.branches):
                found += self.compare(reader, branch, f"{path}/{index}")
            return found
        if isinstance(reader, UnionSchema):
            # Each branch is compared on its own, so with places of its own.
            if any(not self.compare(branch, writer, "") for branch in reader.branches):
                return []
            return [_missing_branch(writer, path)]
        if reader.type != writer.type:
            return [_type_mismatch(reader.type, writer.type, path)]
        if isinstance(reader, ArraySchema):
            assert isinstance(writer, ArraySchema)
            return self.compare(reader.items, writer.items, f"{path}/items")
        if isinstance(reader, MapSchema):
            assert isinstance(writer, MapSchema)
            return self.compare(reader.values, writer.values, f"{path}/values")
        assert isinstance(reader, NamedSchema)
        assert isinstance(writer, NamedSchema)
        return _names(reader, writer, path) + self._contents(reader, writer, path)

    def _unions(self, reader: UnionSchema, writer: UnionSchema, path: str) -> list[Incompatibility]:
        return [
            _missing_branch(branch, f"{path}/{index}")
            for index, branch in enumerate(writer.branches)
            if self.compare(reader, branch, "")
        ]

    def _contents(
        self, reader: NamedSchema, writer: NamedSchema, path: str
    ) -> list[Incompatibility]:
        if isinstance(reader, FixedSchema):
            assert isinstance(writer, FixedSchema)
            return _sizes(reader, writer, path)
        if isinstance(reader, EnumSchema):
            assert isinstance(writer, EnumSchema)
            return _symbols(reader, writer, path)
        assert isinstance(reader, RecordSchema)
        assert isinstance(writer, RecordSchema)
        found: list[Incompatibility] = []
        for index, field in enumerate(reader.fields):
            place = f"{path}/fields/{index}"
            written = _written_field(field, writer, place)
            if written is not None:
                found += self.compare(field.schema, written.schema, f"{place}/type")
            elif not field.has_default:
                found += self._missing_default(field, writer, place)
        return found

    def _missing_default(
        self, field: Field, writer: RecordSchema, path: str
    ) -> list[Incompatibility]:
        # An enum's default is for symbols, not for a field that is missing: Avro's Java compares
        # the enum with the writer's record then, which never fits.
        if isinstance(field.schema, EnumSchema) and field.schema.default is not None:
            return self.compare(field.schema, writer, f"{path}/type")
        return [
            Incompatibility(
                IncompatibilityType.READER_FIELD_MISSING_DEFAULT_VALUE, path, field.name
            )
        ]


def _written_field(field: Field, writer: RecordSchema, path: str) -> Field | None:
    """The writer's field that is read as `field`, by its name or by one of its aliases."""
    candidates = (field.name, *field.aliases) if field.aliases else (field.name,)
    written = [writer.by_name[name] for name in candidates if name in writer.by_name]
    if len(written) > 1:
        raise _AmbiguousFieldError(
            Incompatibility(
                IncompatibilityType.AMBIGUOUS_FIELD,
                path,
                f"{field.name} matches several fields of the writer: "
                + ", ".join(found.name for found in written),
            )
        )
    return written[0] if written else None


def _primitives(reader: str, writer: str, path: str) -> list[Incompatibility]:
    if reader == writer or (writer, reader) in PROMOTIONS:
        return []
    return [_type_mismatch(reader, writer, path)]


def _names(reader: NamedSchema, writer: NamedSchema, path: str) -> list[Incompatibility]:
    # The namespace only counts in an alias.
    if reader.name == writer.name or writer.full_name in reader.aliases:
        return []
    return [
        Incompatibility(
            IncompatibilityType.NAME_MISMATCH, f"{path}/name", f"expected: {writer.full_name}"
        )
    ]


def _sizes(reader: FixedSchema, writer: FixedSchema, path: str) -> list[Incompatibility]:
    if reader.size == writer.size:
        return []
    return [
        Incompatibility(
            IncompatibilityType.FIXED_SIZE_MISMATCH,
            f"{path}/size",
            f"expected: {writer.size}, found: {reader.size}",
        )
    ]


def _symbols(reader: EnumSchema, writer: EnumSchema, path: str) -> list[Incompatibility]:
    missing = sorted(set(writer.symbols).difference(reader.symbols))
    if not missing or reader.default is not None:
        return []
    return [
        Incompatibility(
            IncompatibilityType.MISSING_ENUM_SYMBOLS,
            f"{path}/symbols",
            f"[{', '.join(missing)}]",
        )
    ]


def _type_mismatch(reader: str, writer: str, path: str) -> Incompatibility:
    return Incompatibility(
        IncompatibilityType.TYPE_MISMATCH,
        path or "/",
        f"reader type: {reader.upper()} not compatible with writer type: {writer.upper()}",
    )


def _missing_branch(writer: AvroSchema, path: str) -> Incompatibility:
    return Incompatibility(
        IncompatibilityType.MISSING_UNION_BRANCH,
        path or "/",
        f"reader union lacking writer type: {writer.type.upper()}",
    )
