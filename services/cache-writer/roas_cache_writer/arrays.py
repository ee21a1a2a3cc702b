"""Columns as PostgreSQL's arrays.

psycopg turns lists into arrays in Python, element by element: that alone would take more time
than everything else a batch costs here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import psycopg
from psycopg import postgres
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from roas_cache_writer.avro_columns import Int64s
from roas_cache_writer.deltas import Sums

_BIGINT: Final = postgres.types["int8"]
_HEAD: Final = struct.Struct(">iiIii")
"""One dimension, no nulls, the elements' type, how many there are, the first one's index."""
_ELEMENT: Final = np.dtype([("length", ">i4"), ("number", ">i8")])


def arrays(sums: Sums) -> Iterator[Any]:
    """The parameters of `statements.upsert`, behind the currency."""
    yield sums.window_start
    yield sums.first_emitted_at
    yield sums.last_emitted_at
    yield text_array(dimension for dimension, _ in sums.series)
    yield text_array(value for _, value in sums.series)
    for kind, measures in sums.measures.items():
        yield from measures.T
        yield sums.deltas[kind]


def text_array(column: Iterable[str]) -> str:
    """Texts without NUL as an array literal: every element quoted; inside quotes only the quote
    and the backslash mean something."""
    text = "\0".join(column).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + text.replace("\0", '","') + '"}'


class _NumbersDumper(Dumper):
    """A column of integers as bigint[] in PostgreSQL's binary format."""

    format = Format.BINARY
    oid = _BIGINT.array_oid

    def dump(self, obj: Int64s) -> Buffer:
        """The array's bytes."""
        elements = np.empty(len(obj), _ELEMENT)
        elements["length"] = 8
        elements["number"] = obj
        return _HEAD.pack(1, 0, _BIGINT.oid, len(obj), 1) + elements.tobytes()


def register(connection: psycopg.Connection[Any]) -> None:
    """Let columns of integers be parameters of this connection's statements."""
    connection.adapters.register_dumper(np.ndarray, _NumbersDumper)
