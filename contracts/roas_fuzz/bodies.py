"""Random bytes that a writer with a given schema may have written."""

import struct
from random import Random
from typing import Final

from roas_contracts.avro_writing import write_long
from roas_contracts.compatibility import (
    ArraySchema,
    AvroSchema,
    EnumSchema,
    FixedSchema,
    MapSchema,
    RecordSchema,
    UnionSchema,
)

_DEEPEST: Final = 12
_INTEGERS: Final = (0, -1, 1, 64, 2**20, 2**31 - 1, -(2**31))
_LONGS: Final = (*_INTEGERS, 2**31, 2**53 + 1, -(2**63))
_NUMBERS: Final = (0.0, -1.5, 2.0**100)
_TEXTS: Final = ("", "text", "é", "a" * 70)
_BYTES: Final = (b"", b"\xc3\xa9", b"\xff\xfe")


class NoBodyError(Exception):
    """The schema has no value that ends, or none was found."""


def body(schema: AvroSchema, random: Random, depth: int = 0) -> bytes:
    """One value in Avro's binary encoding.

    Raises:
        NoBodyError: it would be nested too deeply.
    """
    if depth > _DEEPEST:
        raise NoBodyError
    if isinstance(schema, RecordSchema):
        return b"".join(body(field.schema, random, depth + 1) for field in schema.fields)
    if isinstance(schema, UnionSchema):
        return _branch(schema, random, depth)
    if isinstance(schema, ArraySchema):
        return _blocks(
            [body(schema.items, random, depth + 1) for _ in _some(random, depth)], random
        )
    if isinstance(schema, MapSchema):
        items = [
            _text(f"k{key}") + body(schema.values, random, depth + 1)
            for key in _some(random, depth)
        ]
        return _blocks(items, random)
    if isinstance(schema, EnumSchema):
        if not schema.symbols:
            raise NoBodyError
        return write_long(random.randrange(len(schema.symbols)))
    if isinstance(schema, FixedSchema):
        return random.randbytes(schema.size)
    return _primitive(schema.type, random)


def _some(random: Random, depth: int) -> range:
    return range(random.randint(0, 3) if depth < _DEEPEST // 2 else 0)


def _branch(schema: UnionSchema, random: Random, depth: int) -> bytes:
    if not schema.branches:
        raise NoBodyError
    indexes = random.sample(range(len(schema.branches)), len(schema.branches))
    if depth > _DEEPEST // 2:  # Out of a type inside itself.
        indexes.sort(key=lambda index: isinstance(schema.branches[index], RecordSchema))
    index = indexes[0]
    return write_long(index) + body(schema.branches[index], random, depth + 1)


def _blocks(items: list[bytes], random: Random) -> bytes:
    """One item a block, some with their size: readers of ours take one item without bytes each."""
    blocks = [
        write_long(-1) + write_long(len(item)) + item if random.random() < 0.3 else b"\x02" + item
        for item in items
    ]
    return b"".join(blocks) + b"\0"


def _text(text: str) -> bytes:
    encoded = text.encode()
    return write_long(len(encoded)) + encoded


def _primitive(kind: str, random: Random) -> bytes:
    match kind:
        case "null":
            return b""
        case "boolean":
            return bytes([random.randint(0, 1)])
        case "int":
            return write_long(random.choice(_INTEGERS))
        case "long":
            return write_long(random.choice(_LONGS))
        case "float":
            return struct.pack("<f", random.choice(_NUMBERS))
        case "double":
            return struct.pack("<d", random.choice(_NUMBERS))
        case "bytes":
            chosen = random.choice(_BYTES)
            return write_long(len(chosen)) + chosen
        case _:
            return _text(random.choice(_TEXTS))
