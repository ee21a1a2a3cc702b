"""The rows of a file with their places in time: what is put in order, and packed for the disk."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from roas_contracts.events import DeadLetterReason
from roas_contracts.rules import EARLIEST_MS
from roas_producer.feed import Record
from roas_producer.publish.limit import BadRowLimit
from roas_producer.publish.making import AdEvent, EventMaker, key_of
from roas_producer.publish.rows import RowReader
from roas_producer.rows import BadRow

Arrival: TypeAlias = Record | BadRow
"""What becomes of a row: the record of its event, or a dead letter."""

Encode: TypeAlias = Callable[[AdEvent], bytes]


Step: TypeAlias = tuple[int, Arrival] | None
"""An arrival with its time in milliseconds; or None: the next one has to be waited for."""


def arrivals(
    reader: RowReader, maker: EventMaker, topic: str, encode: Encode, limit: BadRowLimit
) -> Iterator[Step]:
    """Every row in the file's order, with its time.

    A bad row has no time: it takes that of the good row before it, those at the head that of the
    first good row.

    Raises:
        InputError: the file is damaged, or nearly all of its head is bad.
    """
    leading: list[BadRow] = []
    time_ms: int | None = None
    for row in reader.rows():
        made = maker.make(row)
        if isinstance(made, BadRow):
            limit.add(made)
            if time_ms is None:
                leading.append(made)
            else:
                yield time_ms, made
        else:
            limit.good()
            time_ms = made.event_time
            yield from ((time_ms, bad) for bad in leading)
            leading.clear()
            yield time_ms, Record(topic, encode(made), key_of(made))
        if reader.drained:
            yield None
    yield from ((EARLIEST_MS, bad) for bad in leading)


_LENGTHS: Final = struct.Struct("<BQII")
"""Whether it is bad, line, and the lengths of the first two of three byte strings."""


def packed(arrival: Arrival) -> bytes:
    """An arrival as bytes."""
    if isinstance(arrival, BadRow):
        reason, detail = arrival.reason.encode(), arrival.detail.encode()
        head = _LENGTHS.pack(1, arrival.line, len(reason), len(detail))
        return head + reason + detail + arrival.raw
    topic = arrival.topic.encode()
    head = _LENGTHS.pack(0, 0, len(topic), len(arrival.key))
    return head + topic + arrival.key + arrival.value


def unpacked(data: bytes) -> Arrival:
    """An arrival that was packed."""
    is_bad, line, first, second = _LENGTHS.unpack_from(data)
    middle, end = _LENGTHS.size + first, _LENGTHS.size + first + second
    one, two, three = data[_LENGTHS.size : middle], data[middle:end], data[end:]
    if is_bad:
        return BadRow(line, DeadLetterReason(one.decode()), two.decode(), three)
    return Record(one.decode(), three, two)
