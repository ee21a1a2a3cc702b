"""Events to Avro bodies, and Avro data to events.

Writing goes through fastavro. Reading what others wrote is the business of
`roas_contracts.decoder`, which is stricter than fastavro.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, Self

from fastavro import schemaless_writer

from roas_contracts import wire
from roas_contracts.events import (
    TYPE_OF_TOPIC,
    DeadLetter,
    DeadLetterReason,
    DeltaKind,
    Event,
    OriginType,
    PlacementType,
    Source,
)
from roas_contracts.subjects import load_subject

ENUMS: Final = {
    f"marketing_roas.events.{enum.__name__}": enum
    for enum in (Source, PlacementType, DeltaKind, OriginType, DeadLetterReason)
}
"""The Python type of each Avro enum, by its full name."""


class Codec:
    """Encodes the events of one topic. Not thread-safe: one per thread.

    Args:
        topic: the topic; decides the record type and its schema (the newest version).
        schema_id: that version's id in the registry.
    """

    def __init__(self, topic: str, schema_id: int) -> None:
        self.topic = topic
        self.schema_id = schema_id
        self.event_type = TYPE_OF_TOPIC[topic]
        self._schema = load_subject(topic).latest.parsed
        self._to_datum = datum_builder(topic)
        self._prefix = wire.pack(schema_id, b"")
        self._buffer = io.BytesIO()

    @classmethod
    def for_topic(cls, topic: str, schema_id: int) -> Self:
        """A codec for one topic.

        Raises:
            MisconfigurationError: there is no contract for the topic.
        """
        load_subject(topic)
        return cls(topic, schema_id)

    def encode(self, event: Event) -> bytes:
        """The record value: wire format header and Avro body.

        Raises:
            TypeError: an event of another topic.
            ValueError: a field does not fit its Avro type.
        """
        if type(event) is not self.event_type:
            raise TypeError(f"{self.topic} carries no {type(event).__name__}")
        buffer = self._buffer
        buffer.seek(0)
        buffer.truncate()
        buffer.write(self._prefix)
        try:
            schemaless_writer(buffer, self._schema, self._to_datum(event))
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(
                f"this {type(event).__name__} does not fit its schema: {error}"
            ) from error
        return buffer.getvalue()


def datum_builder(topic: str) -> Callable[[Event], dict[str, Any]]:
    """A function from an event of this topic to what fastavro writes."""
    event_type = TYPE_OF_TOPIC[topic]
    names = tuple(item.name for item in fields(event_type))
    values = attrgetter(*names)

    def to_datum(event: Event) -> dict[str, Any]:
        return dict(zip(names, values(event), strict=True))

    def dead_letter_to_datum(event: Event) -> dict[str, Any]:
        datum = to_datum(event)
        datum["headers"] = [{"name": name, "value": value} for name, value in datum["headers"]]
        return datum

    return dead_letter_to_datum if event_type is DeadLetter else to_datum


def event_builder(topic: str) -> Callable[[Mapping[str, Any]], Event]:
    """A function from a decoded datum of this topic (enums as our types) to the event."""
    event_type = TYPE_OF_TOPIC[topic]

    def from_datum(datum: Mapping[str, Any]) -> Event:
        return event_type(**datum)

    def dead_letter_from_datum(datum: Mapping[str, Any]) -> Event:
        headers = tuple((header["name"], header["value"]) for header in datum["headers"])
        return DeadLetter(**{**datum, "headers": headers})

    return dead_letter_from_datum if event_type is DeadLetter else from_datum
