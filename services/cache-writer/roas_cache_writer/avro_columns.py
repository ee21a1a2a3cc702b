"""Many Avro records of one flat schema at once, field by field instead of record by record.

A record that does not read without a doubt is not read here: who calls gives it to the general
decoder, which says what is wrong with it, if anything is. So this may be narrow, but what it reads
must be what the general decoder reads (a test holds it to that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Int64s: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_LONGEST_VARINT: Final = 9
"""A long of more than 63 bits is left to the general decoder."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a flat record: text, or one number of at most 64 bits (an enum's is its index)."""

    name: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """Where the texts of a column are in the bytes."""

    starts: Int64s
    lengths: Int64s


@dataclass(frozen=True, slots=True)
class Table:
    """Records read: columns by field name, and which records they are right for."""

    data: bytes
    readable: Flags
    """The others have anything in the columns."""
    numbers: dict[str, Int64s]
    texts: dict[str, Texts]

    def equal(self, name: str, text: bytes) -> Flags:
        """Of which records a text field is this, byte for byte."""
        column = self.texts[name]
        found: Flags = column.lengths == len(text)
        data = np.frombuffer(self.data, np.uint8)
        for at, byte in enumerate(text):
            found &= data[np.minimum(column.starts + at, len(data) - 1)] == byte
        return found


def flat_fields(schema: dict[str, Any]) -> list[Field] | None:
    """The fields of a record schema in parsed form; None where one is neither text nor number."""
    fields = []
    for field in schema["fields"]:
        kind = field["type"] if isinstance(field["type"], str) else field["type"]["type"]
        if kind not in ("string", "long", "enum"):
            return None
        fields.append(Field(field["name"], kind == "string"))
    return fields


def read_table(fields: Sequence[Field], values: Sequence[bytes], header_length: int) -> Table:
    """Read records.

    Args:
        fields: in the order in which they were written.
        values: the records, each behind a header.
        header_length: how many bytes of each value to leave out.
    """
    count = len(values)
    lengths = np.fromiter(map(len, values), np.int64, count)
    ends = np.cumsum(lengths)
    at = ends - lengths + header_length
    # A record that is too short is walked into what follows it, and found out at the end.
    most = 1 + len(fields) * (_LONGEST_VARINT + 1) + header_length
    data = b"".join(values) + bytes(most)
    walk = _Walk(np.frombuffer(data, np.uint8), at, ends)
    numbers: dict[str, Int64s] = {}
    texts: dict[str, Texts] = {}
    for field in fields:
        if field.is_text:
            texts[field.name] = walk.text()
        else:
            numbers[field.name] = walk.long()
    return Table(data, walk.good & (walk.at == ends), numbers, texts)


class _Walk:
    """A position in each record; `good` says of which it is still right."""

    def __init__(self, data: NDArray[np.uint8], at: Int64s, ends: Int64s) -> None:
        self.at = at
        self.good: Flags = at <= ends
        self._data = data
        self._ends = ends

    def long(self) -> Int64s:
        """The next field is a zigzag varint."""
        byte = self._data[self.at].astype(np.int64)
        self.at += 1
        value = byte & 0x7F
        longer = np.flatnonzero(byte > 0x7F)
        for shift in range(7, 7 * _LONGEST_VARINT, 7):
            if not len(longer):
                break
            byte = self._data[self.at[longer]].astype(np.int64)
            self.at[longer] += 1
            value[longer] |= (byte & 0x7F) << shift
            longer = longer[byte > 0x7F]
        self.good[longer] = False
        self._stay_inside()
        return (value >> 1) ^ -(value & 1)

    def text(self) -> Texts:
        """The next field is a length and so many bytes."""
        lengths = self.long()
        fits = (lengths >= 0) & (lengths <= self._ends - self.at)
        self.good &= fits
        lengths[~fits] = 0
        starts = self.at.copy()
        self.at += lengths
        return Texts(starts, lengths)

    def _stay_inside(self) -> None:
        """A record that has been walked past its end stands there, so that nothing is read from
        behind the data."""
        outside = self.at > self._ends
        if outside.any():
            self.good[outside] = False
            np.minimum(self.at, self._ends, out=self.at)
