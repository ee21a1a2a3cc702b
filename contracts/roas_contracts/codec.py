"""Events to record values, and decoded data to events.

Reading what others wrote is the business of `roas_contracts.decoder`.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, Self

from roas_contracts import wire
from roas_contracts.avro_writing import compile_writer
from roas_contracts.events import (
    TYPE_OF_TOPIC,
    DeadLetter,
    DeadLetterAction,
    DeadLetterReason,
    DeltaKind,
    Event,
    OriginType,
    PlacementType,
    PricingModel,
    Source,
)
from roas_contracts.subjects import load_subject

ENUMS: Final = {
    f"marketing_roas.events.{enum.__name__}": enum
    for enum in (
        Source,
        PlacementType,
        PricingModel,
        DeltaKind,
        OriginType,
        DeadLetterReason,
        DeadLetterAction,
    )
}
"""The Python type of each Avro enum, by its full name."""


class Codec:
    """Encodes the events of one topic, with the newest version of its schema.

    Args:
        topic: the topic; decides the record type.
        schema_id: that version's id in the registry.

    Raises:
        MisconfigurationError: there is no contract for the topic.
    """

    def __init__(self, topic: str, schema_id: int) -> None:
        schema = load_subject(topic).latest.parsed
        self.topic = topic
        self.schema_id = schema_id
        self.event_type = TYPE_OF_TOPIC[topic]
        self._prefix = wire.pack(schema_id, b"")
        self._values = attrgetter(*(field["name"] for field in schema["fields"]))
        self._write = compile_writer(schema)

    @classmethod
    def for_topic(cls, topic: str, schema_id: int) -> Self:
        """The codec of a topic; arguments and errors as for the class."""
        return cls(topic, schema_id)

    def encode(self, event: Event) -> bytes:
        """The record value: wire format header and Avro body.

        Raises:
            TypeError: an event of another topic.
            ValueError: a field does not fit its Avro type; the message names it.
        """
        if type(event) is not self.event_type:
            raise TypeError(f"{self.topic} carries no {type(event).__name__}")
        return self._prefix + self._write(self._values(event))


def event_builder(topic: str) -> Callable[[Mapping[str, Any]], Event]:
    """A function from a decoded datum of this topic (enums as our types) to the event."""
    event_type = TYPE_OF_TOPIC[topic]

    def from_datum(datum: Mapping[str, Any]) -> Event:
        return event_type(**datum)

    def dead_letter_from_datum(datum: Mapping[str, Any]) -> Event:
        headers = tuple((header["name"], header["value"]) for header in datum["headers"])
        return DeadLetter(**{**datum, "headers": headers})

    return dead_letter_from_datum if event_type is DeadLetter else from_datum
