"""Reading Avro's primitive types and blocks, strictly.

fastavro is lenient in ways that turn damage into data: it takes the last symbol for enum index
-1, any non-zero byte for true, and endless varints. Here every one of these is an error:

- the end of the bytes inside a value;
- a varint of more than ten bytes, or of more than 64 bits (forms longer than they need to be are
  valid Avro, up to ten bytes);
- an int beyond 32 bits, a boolean byte other than 0 and 1, text that is not strict UTF-8
  (overlong forms and surrogates included);
- a length, or a block's byte size, that is negative or larger than the bytes that are left.

A block's byte size (it has one when its count is negative) is for those who skip the block. We
walk it, and Apache Avro's readers ignore the size then; so do we, as long as it is possible.

Each reader is a function (data, position) → (value, position behind it).
"""

import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias

ReadFunction: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""Reads one value at a position; returns it and the position behind it."""

_MAX_VARINT_BYTES: Final = 10
_FLOAT: Final = struct.Struct("<f")
_DOUBLE: Final = struct.Struct("<d")


class UndecodableError(Exception):
    """The bytes are not what the writer's schema says. `path` grows outwards, field by field."""

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{path}: {problem}" if path else problem)

    def inside(self, name: str) -> "UndecodableError":
        """The same problem, seen from the record, map or array around it."""
        return UndecodableError(self.problem, f"{name}.{self.path}" if self.path else name)


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag varint of at most 64 bits."""
    byte = data[position]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    value = byte & 0x7F
    shift = 7
    last = position + _MAX_VARINT_BYTES
    while True:
        position += 1
        if position == last:
            raise UndecodableError("a varint longer than ten bytes")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if value >> 64:
        raise UndecodableError("a varint of more than 64 bits")
    return (value >> 1) ^ -(value & 1), position + 1


def read_int(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag varint whose value fits 32 bits."""
    byte = data[position]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    value, position = read_long(data, position)
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise UndecodableError(f"{value} is beyond the range of an int")
    return value, position


def read_boolean(data: bytes, position: int) -> tuple[bool, int]:
    """One byte, 0 or 1."""
    byte = data[position]
    if byte > 1:
        raise UndecodableError(f"a boolean byte of {byte}")
    return byte == 1, position + 1


def read_null(data: bytes, position: int) -> tuple[None, int]:
    """Nothing."""
    return None, position


def read_float(data: bytes, position: int) -> tuple[float, int]:
    """Four bytes, little endian."""
    end = _behind(data, position, 4)
    return _FLOAT.unpack_from(data, position)[0], end


def read_double(data: bytes, position: int) -> tuple[float, int]:
    """Eight bytes, little endian."""
    end = _behind(data, position, 8)
    return _DOUBLE.unpack_from(data, position)[0], end


def read_bytes(data: bytes, position: int) -> tuple[bytes, int]:
    """A length and that many bytes."""
    length, position = read_long(data, position)
    end = _behind(data, position, length)
    return data[position:end], end


def read_string(data: bytes, position: int) -> tuple[str, int]:
    """A length and that many bytes of strict UTF-8."""
    byte = data[position]
    if byte < 0x80 and not byte & 1:  # The usual case: shorter than 64 bytes.
        position += 1
        length = byte >> 1
    else:
        length, position = read_long(data, position)
    end = position + length
    if length < 0 or end > len(data):
        raise _bad_length(data, position, length)
    return data[position:end].decode(), end


def read_fixed(size: int) -> ReadFunction:
    """A reader of exactly `size` bytes."""

    def read(data: bytes, position: int) -> tuple[bytes, int]:
        end = _behind(data, position, size)
        return data[position:end], end

    return read


def read_nullable(read_value: ReadFunction) -> ReadFunction:
    """A reader of a union of null and one other type, in this order: most of our unions."""

    def read(data: bytes, position: int) -> tuple[Any, int]:
        byte = data[position]
        if byte == 0:
            return None, position + 1
        if byte == 2:
            return read_value(data, position + 1)
        index, position = read_long(data, position)
        if index == 0:
            return None, position
        if index == 1:
            return read_value(data, position)
        raise UndecodableError(f"union index {index} of 2 branches")

    return read


def read_map(read_value: ReadFunction) -> ReadFunction:
    """A reader of a map: blocks of key and value, up to an empty block. The last of two equal
    keys counts."""

    def read(data: bytes, position: int) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        while True:
            count, position = _read_block_head(data, position)
            if count == 0:
                return result, position
            for _ in range(count):
                key, position = read_string(data, position)
                try:
                    result[key], position = read_value(data, position)
                except UndecodableError as error:
                    raise error.inside(repr(key)) from None

    return read


def read_array(read_item: ReadFunction) -> ReadFunction:
    """A reader of an array: blocks of items, up to an empty block.

    Of items that take no bytes (nulls) one per block is read: a damaged count of them must not
    keep a service busy, and no contract of ours has them.
    """

    def read(data: bytes, position: int) -> tuple[list[Any], int]:
        result: list[Any] = []
        while True:
            count, position = _read_block_head(data, position)
            if count == 0:
                return result, position
            for _ in range(count):
                before = position
                try:
                    item, position = read_item(data, position)
                except UndecodableError as error:
                    raise error.inside(f"[{len(result)}]") from None
                result.append(item)
                if position == before:
                    break

    return read


def _read_block_head(data: bytes, position: int) -> tuple[int, int]:
    """A block's count, and the position of its first item."""
    count, position = read_long(data, position)
    if count < 0:
        count = -count
        size, position = read_long(data, position)
        _behind(data, position, size)
        if count >> 63:
            raise UndecodableError("a block count out of range")
    return count, position


def _behind(data: bytes, position: int, length: int) -> int:
    end = position + length
    if length < 0 or end > len(data):
        raise _bad_length(data, position, length)
    return end


def _bad_length(data: bytes, position: int, length: int) -> UndecodableError:
    if length < 0:
        return UndecodableError(f"a negative length, {length}")
    return UndecodableError(f"a length of {length} is beyond the {len(data) - position} bytes left")
