"""Confluent's wire format: a zero byte, the writer schema's id in four bytes, the Avro body."""

import struct
from typing import Final

from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason

HEADER_LENGTH: Final = 5
"""Bytes before the Avro body."""

_HEADER: Final = struct.Struct(">bi")  # The id is a signed int: so are the registry's ids.


def pack(schema_id: int, body: bytes) -> bytes:
    """The record value for an Avro body that was written with this schema."""
    return _HEADER.pack(0, schema_id) + body


def unpack(value: bytes) -> tuple[int, bytes]:
    """Schema id and Avro body of a record value.

    Raises:
        PoisonError: NOT_WIRE_FORMAT, shorter than five bytes or not starting with a zero byte.
    """
    return schema_id_of(value), value[HEADER_LENGTH:]


def schema_id_of(value: bytes) -> int:
    """Schema id of a record value; raises as `unpack` does."""
    if len(value) < HEADER_LENGTH:
        raise PoisonError(
            DeadLetterReason.NOT_WIRE_FORMAT,
            f"{len(value)} bytes are fewer than the {HEADER_LENGTH} of the wire format's header",
        )
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != 0:
        raise PoisonError(
            DeadLetterReason.NOT_WIRE_FORMAT, f"starts with byte 0x{value[0]:02x}, not 0x00"
        )
    return int(schema_id)
