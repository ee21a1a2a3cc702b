"""A parsed Avro schema. Two occurrences of a type are two objects; a named type is one object.

The rule remembers pairs of objects, as Avro's Java does, so identity is part of the meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

PRIMITIVES: Final = frozenset(
    ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
)


class _NoDefault:
    """The type of `NO_DEFAULT`."""

    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()
"""A field without a default; null is a default like any other."""


@dataclass(slots=True, eq=False)
class AvroSchema:
    """Any schema; a primitive type if it is of no subclass."""

    type: str
    """"record" (an "error" is one), "enum", "array", "map", "union", "fixed" or a primitive's."""
    properties: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Attributes that Avro does not define, such as a logical type's precision."""
    logical_type: str | None = field(default=None, kw_only=True)
    """None also where the attribute is there but does not fit the type: Avro ignores it then."""

    @property
    def full_name(self) -> str:
        """What tells it from the other branches of a union."""
        return self.type


@dataclass(slots=True, eq=False)
class ArraySchema(AvroSchema):
    """An array."""

    items: AvroSchema


@dataclass(slots=True, eq=False)
class MapSchema(AvroSchema):
    """A map with strings as keys."""

    values: AvroSchema


@dataclass(slots=True, eq=False)
class UnionSchema(AvroSchema):
    """A union."""

    branches: list[AvroSchema]


@dataclass(slots=True, eq=False)
class NamedSchema(AvroSchema):
    """A record, enum or fixed."""

    name: str
    """Without the namespace."""
    namespace: str | None
    aliases: Sequence[str] = field(default=(), kw_only=True)
    """Full names. One without a namespace, of a type that has one, starts with a dot."""
    doc: str | None = field(default=None, kw_only=True)

    @property
    def full_name(self) -> str:
        """Namespace and name."""
        return self.name if self.namespace is None else f"{self.namespace}.{self.name}"


@dataclass(slots=True, eq=False)
class FixedSchema(NamedSchema):
    """A fixed number of bytes."""

    size: int


@dataclass(slots=True, eq=False)
class EnumSchema(NamedSchema):
    """An enum."""

    symbols: Sequence[str]
    default: str | None = None


@dataclass(slots=True, eq=False)
class Field:
    """A field of a record."""

    name: str
    schema: AvroSchema
    default: Any = NO_DEFAULT
    aliases: Sequence[str] = ()
    order: str = "ascending"
    doc: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_default(self) -> bool:
        """Whether it has one, be it null."""
        return self.default is not NO_DEFAULT


@dataclass(slots=True, eq=False)
class RecordSchema(NamedSchema):
    """A record or an error."""

    fields: list[Field]
    by_name: Mapping[str, Field] = field(repr=False)
    is_error: bool = False
    has_fields: bool = field(default=True, repr=False)
    """False only while the names in it are being resolved."""


@dataclass(slots=True, eq=False)
class Reference(AvroSchema):
    """A name whose definition comes later in the text; parsing leaves none behind."""

    target: str
    definition: NamedSchema | None = None

    @property
    def full_name(self) -> str:
        """Of what it stands for."""
        return self.target
