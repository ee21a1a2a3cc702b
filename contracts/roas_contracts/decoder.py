"""Bytes to events, by the rule table of `roas_contracts.rules`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from roas_contracts import headers as header_names
from roas_contracts import wire
from roas_contracts.avro_reading import ReadFunction, UndecodableError
from roas_contracts.codec import ENUMS, event_builder
from roas_contracts.compatibility import InvalidSchemaError, RecordSchema, parse_schema
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason, Event
from roas_contracts.headers import HeaderItems
from roas_contracts.heartbeat import Heartbeat, clock_of
from roas_contracts.resolution import UnresolvableError, compile_reader
from roas_contracts.rules import Rules, check
from roas_contracts.subjects import load_subject


class Schemas(Protocol):
    """Where writer schemas come from; `roas_contracts.registry.SchemaSource` is the real one."""

    def schema(self, schema_id: int) -> str:
        """The text of a schema; "" for one that is not Avro.

        Raises:
            PoisonError: UNKNOWN_SCHEMA_ID, the registry is well and does not know it.
            TransientError: it can't be known now.
        """
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is meant for another consumer group: counted, not processed."""


SKIPPED: Final = Skipped()

Decoded: TypeAlias = Event | Heartbeat | Skipped


class Decoder:
    """Decodes the records of one topic. Not thread-safe: one per thread.

    Args:
        topic: the topic; decides the one record type that is right.
        schemas: where writer schemas come from, by their id.
        rules: the deployment's bounds.
    """

    def __init__(self, topic: str, schemas: Schemas, rules: Rules) -> None:
        subject = load_subject(topic)
        self.topic = topic
        self._schemas = schemas
        self._rules = rules
        self._record_name = subject.record_name
        self._schema = parse_schema(subject.latest.text)
        self._build = event_builder(topic)
        self._readers: dict[int, Callable[[bytes], Event]] = {}

    def decode(self, value: bytes | None, headers: HeaderItems, now_ms: int) -> Decoded:
        """What a record is.

        Args:
            value: the record's value.
            headers: its headers in order, None where there are none.
            now_ms: the wall clock, milliseconds.

        Raises:
            PoisonError: it breaks a rule.
            TransientError: its schema can't be had now; ask again later.
        """
        if value is None:
            return self._heartbeat(headers, now_ms)
        if headers and header_names.is_for_another_group(headers, self._rules.group):
            return SKIPPED
        schema_id = wire.schema_id_of(value)
        try:
            read = self._readers.get(schema_id)
            if read is None:
                read = self._readers[schema_id] = self._reader(schema_id)
            event = read(value)
            check(event, self._rules, now_ms)
        except PoisonError as error:
            error.schema_id = schema_id
            raise
        return event

    def read(self, value: bytes) -> Event:
        """The event in a record's value by rules 3 to 7; whether its fields may be so is not asked.

        Raises:
            PoisonError: it can't be read.
            TransientError: its schema can't be had now.
        """
        schema_id = wire.schema_id_of(value)
        read = self._readers.get(schema_id)
        if read is None:
            read = self._readers[schema_id] = self._reader(schema_id)
        return read(value)

    def _heartbeat(self, headers: HeaderItems, now_ms: int) -> Heartbeat:
        clock = clock_of(headers)
        if clock is None:
            raise PoisonError(
                DeadLetterReason.NULL_VALUE, "the value is null and this is no heartbeat"
            )
        if not self._rules.in_bounds(clock, now_ms):
            raise PoisonError(
                DeadLetterReason.NULL_VALUE, f"a heartbeat whose clock {clock} is out of bounds"
            )
        return Heartbeat(clock)

    def _reader(self, schema_id: int) -> Callable[[bytes], Event]:
        """Rules 4 to 7 for one writer schema."""
        writer = _record_schema(self._schemas.schema(schema_id))
        found = "no Avro record" if writer is None else writer.full_name
        if writer is None or found != self._record_name:
            return _always(
                DeadLetterReason.WRONG_RECORD_TYPE,
                f"{self.topic} carries {self._record_name}, schema {schema_id} is {found}",
            )
        try:
            function = compile_reader(writer, self._schema, ENUMS)
        except UnresolvableError as error:
            return _always(
                DeadLetterReason.UNDECODABLE,
                f"schema {schema_id} can't be read as {self._record_name}: {error}",
            )
        return _body_reader(function, self._build)


def _body_reader(
    function: ReadFunction, build: Callable[[Mapping[str, Any]], Event]
) -> Callable[[bytes], Event]:
    def read(value: bytes) -> Event:
        try:
            datum, end = function(value, wire.HEADER_LENGTH)
        except UndecodableError as error:
            raise PoisonError(DeadLetterReason.UNDECODABLE, str(error)) from None
        except RecursionError:
            raise PoisonError(DeadLetterReason.UNDECODABLE, "nested too deeply") from None
        if end != len(value):
            raise PoisonError(
                DeadLetterReason.TRAILING_BYTES, f"{len(value) - end} bytes behind the record"
            )
        return build(datum)

    return read


def _always(reason: DeadLetterReason, detail: str) -> Callable[[bytes], Event]:
    def refuse(value: bytes) -> Event:
        raise PoisonError(reason, detail)

    return refuse


def _record_schema(text: str) -> RecordSchema | None:
    """A record schema; None for anything else, such as a registry's JSON or Protobuf schemas."""
    try:
        schema = parse_schema(text)
    except InvalidSchemaError:
        return None
    return schema if isinstance(schema, RecordSchema) else None
