"""A dead letter as the record that goes out again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from roas_contracts import headers as header_names
from roas_contracts.events import DeadLetter, Headers
from roas_dlq_handler.refusals import RefusedError


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be sent. Its timestamp is the sending's: brokers delete by it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def outgoing(letter: DeadLetter, for_group: str | None, value: bytes | None = None) -> Outgoing:
    """The failed record byte for byte, with the reserved headers of a replay behind its own.

    Args:
        letter: of a Kafka record.
        for_group: the one consumer group that it is meant for.
        value: a repaired value instead of the failed one.

    Raises:
        RefusedError: it is already meant for another group, or its value was too long to keep.
    """
    assert letter.topic is not None
    assert letter.partition is not None
    left_out = header_names.last(letter.headers, header_names.VALUE_LEFT_OUT)
    if letter.value is None and left_out is not None:
        raise RefusedError(
            f"its value of {left_out.decode(errors='replace')} bytes was too long to keep: it is "
            f"at {letter.topic}[{letter.partition}]@{letter.offset}, as long as Kafka keeps it"
        )
    kept = tuple(item for item in letter.headers if item[0] != header_names.REPLAY_OF)
    added: Headers = ((header_names.REPLAY_OF, letter.dead_letter_id.encode()),)
    if for_group is not None:
        if header_names.is_for_another_group(letter.headers, for_group):
            raise RefusedError(f"{letter.dead_letter_id} is meant for another consumer group")
        kept = tuple(item for item in kept if item[0] != header_names.FOR_GROUP)
        added += ((header_names.FOR_GROUP, for_group.encode()),)
    return Outgoing(
        letter.topic,
        letter.partition,
        letter.key,
        letter.value if value is None else value,
        kept + added,
    )
