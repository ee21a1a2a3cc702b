"""`show`: a failed record as far as it decodes, and where it stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from roas_contracts import wire
from roas_contracts.avro_reading import UndecodableError
from roas_contracts.avro_schema import NotAvroError, parse
from roas_contracts.decoder import Schemas
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.resolution import UnresolvableError, compile_reader

_DAMAGE = (UndecodableError, UnresolvableError, RecursionError, ValueError, IndexError)


@dataclass(slots=True)
class Decoding:
    """What could be read of a value."""

    schema_id: int | None = None
    record: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """In the order of the writer's schema, up to where it stops."""
    stops_at: str | None = None
    """The field, or what else, that does not read; None when all did."""
    stops_at_byte: int | None = None
    """Where that begins."""
    why: str | None = None


def decode_as_far_as_it_goes(value: bytes | None, schemas: Schemas) -> Decoding:
    """Read a value field by field under its writer's schema. Never raises."""
    found = Decoding()
    if value is None:
        return _stopped(found, "the value", None, "it is null")
    try:
        found.schema_id = wire.schema_id_of(value)
        writer, named = parse(json.loads(schemas.schema(found.schema_id)))
    except PoisonError as error:
        return _stopped(found, "the wire format", 0, error.detail)
    except TransientError as error:
        return _stopped(found, "the schema", 0, str(error))
    except (NotAvroError, ValueError) as error:
        return _stopped(found, "the schema", 0, f"not an Avro schema: {error}")
    if not isinstance(writer, dict) or writer.get("type") != "record":
        return _stopped(found, "the schema", 0, "not a record")
    found.record = str(writer["name"])
    position = wire.HEADER_LENGTH
    for one in writer["fields"]:
        try:
            read = _reader(_inlined(one["type"], dict(named)))
            datum, position = read(value, position)
            found.fields[one["name"]] = datum["value"]
        except _DAMAGE as error:
            why = str(error).removeprefix("value: ") or type(error).__name__
            return _stopped(found, str(one["name"]), position, why)
    if position != len(value):
        left = len(value) - position
        return _stopped(found, "the end of the record", position, f"{left} bytes behind it")
    return found


def _stopped(found: Decoding, where: str, byte: int | None, why: str) -> Decoding:
    found.stops_at, found.stops_at_byte, found.why = where, byte, why
    return found


def _reader(field_type: Any) -> Callable[[bytes, int], tuple[Any, int]]:
    """Of one field: inside a record, as damage is only told apart there."""
    schema = {"type": "record", "name": "one", "fields": [{"name": "value", "type": field_type}]}
    return compile_reader(schema, schema, {})


def _inlined(schema: Any, named: dict[str, Any]) -> Any:
    """A type by itself: a name that another field has defined is replaced by what it stands for."""
    if isinstance(schema, str):
        return _inlined(named.pop(schema), named) if schema in named else schema
    if isinstance(schema, list):
        return [_inlined(branch, named) for branch in schema]
    inner = dict(schema)
    if isinstance(inner.get("name"), str):
        named.pop(inner["name"], None)
    for key in ("items", "values"):
        if key in inner:
            inner[key] = _inlined(inner[key], named)
    if not isinstance(inner["type"], str):
        inner["type"] = _inlined(inner["type"], named)
    if "fields" in inner:
        inner["fields"] = [{**one, "type": _inlined(one["type"], named)} for one in inner["fields"]]
    return inner


def hex_lines(value: bytes, most_bytes: int = 512) -> list[str]:
    """Sixteen bytes a line: position, hexadecimal, and what is printable ASCII."""
    lines = []
    for start in range(0, min(len(value), most_bytes), 16):
        row = value[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<47}  {text}")
    if len(value) > most_bytes:
        lines.append(f"… {len(value) - most_bytes:,} bytes more (`export` has them all)")
    return lines
