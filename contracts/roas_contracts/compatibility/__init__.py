"""Avro's compatibility rule as Schema Registry applies it, offline and equal to Apache Avro's Java.

    new, previous = parse_schema(text), parse_schema(published_text)
    for found in check_mode("FULL", new, [previous]):
        print(found.direction, found.incompatibility.path, found.incompatibility.message)

A schema is valid here exactly when `Schema.Parser` of Apache Avro 1.12.2 (Java) takes it, and two
schemas are compatible exactly when its `SchemaCompatibility` says so: `roas_fuzz` compares the two.
"""

from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.modes import (
    COMPATIBILITY_MODES,
    CompatibilityMode,
    Direction,
    ModeIncompatibility,
    check_mode,
)
from roas_contracts.compatibility.parsing import parse_schema
from roas_contracts.compatibility.positions import line_of
from roas_contracts.compatibility.rule import (
    Incompatibility,
    IncompatibilityType,
    incompatibilities,
)
from roas_contracts.compatibility.schema import (
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

__all__ = [
    "COMPATIBILITY_MODES",
    "ArraySchema",
    "AvroSchema",
    "CompatibilityMode",
    "Direction",
    "EnumSchema",
    "Field",
    "FixedSchema",
    "Incompatibility",
    "IncompatibilityType",
    "InvalidSchemaError",
    "MapSchema",
    "ModeIncompatibility",
    "NamedSchema",
    "RecordSchema",
    "UnionSchema",
    "check_mode",
    "incompatibilities",
    "line_of",
    "parse_schema",
]
