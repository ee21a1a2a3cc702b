"""What we write is what everybody reads: ours, fastavro and Confluent's deserializer."""

import dataclasses
import datetime
import functools
import io
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts import wire
from roas_contracts.avro_reading import ReadFunction
from roas_contracts.codec import ENUMS, Codec, event_builder
from roas_contracts.events import TYPE_OF_TOPIC, DeadLetter, Event
from roas_contracts.resolution import compile_reader
from roas_contracts.subjects import load_subject
from roas_corpus.records import RECORDS
from roas_corpus.strategies import events

TOPICS = sorted(TYPE_OF_TOPIC)

any_topic = pytest.mark.parametrize("topic", TOPICS)


@functools.cache
def reader(topic: str) -> ReadFunction:
    schema = load_subject(topic).latest.parsed
    return compile_reader(schema, schema, ENUMS)


def plain(event: Event) -> dict[str, Any]:
    """An event as Avro readers show it, times as milliseconds."""
    datum = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    if isinstance(event, DeadLetter):
        datum["headers"] = [{"name": name, "value": value} for name, value in event.headers]
    return datum


def without_datetimes(datum: Any) -> dict[str, Any]:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return {
        name: (
            (value - epoch) // datetime.timedelta(milliseconds=1)
            if isinstance(value, datetime.datetime)
            else value
        )
        for name, value in datum.items()
    }


@any_topic
@given(data=st.data())
def test_our_reader_gives_back_what_was_written(topic: str, data: st.DataObject) -> None:
    event = data.draw(events(topic))
    value = Codec.for_topic(topic, 7).encode(event)

    schema_id, body = wire.unpack(value)
    datum, end = reader(topic)(body, 0)

    assert schema_id == 7
    assert end == len(body)
    assert event_builder(topic)(datum) == event


@any_topic
@given(data=st.data())
def test_fastavro_reads_the_same_and_writes_the_same_bytes(topic: str, data: st.DataObject) -> None:
    event = data.draw(events(topic))
    schema = load_subject(topic).latest.parsed
    _, body = wire.unpack(Codec.for_topic(topic, 7).encode(event))

    stream = io.BytesIO(body)
    assert without_datetimes(schemaless_reader(stream, schema, None)) == plain(event)
    assert stream.tell() == len(body)

    written = io.BytesIO()
    schemaless_writer(written, schema, plain(event))
    assert written.getvalue() == body


@any_topic
@given(data=st.data())
def test_confluents_deserializer_reads_the_same(topic: str, data: st.DataObject) -> None:
    event = data.draw(events(topic))
    deserialize, schema_id = confluent(topic)
    value = Codec.for_topic(topic, schema_id).encode(event)

    read = deserialize(value, SerializationContext(topic, MessageField.VALUE))

    assert without_datetimes(read) == plain(event)


@functools.cache
def confluent(topic: str) -> tuple[AvroDeserializer, int]:
    """Confluent's deserializer on its own in-memory registry."""
    subject = load_subject(topic)
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    schema_id = client.register_schema(subject.subject, Schema(subject.latest.text, "AVRO"))
    return AvroDeserializer(client), schema_id


@any_topic
def test_the_corpus_record_is_written_byte_for_byte_as_fastavro_does(topic: str) -> None:
    record = dict(RECORDS[topic])
    schema = load_subject(topic).latest.parsed
    stream = io.BytesIO()
    schemaless_writer(stream, schema, record)
    datum, _ = reader(topic)(stream.getvalue(), 0)
    event = event_builder(topic)(datum)
    assert Codec.for_topic(topic, 1).encode(event) == b"\0\0\0\0\1" + stream.getvalue()


def impression(**changed: Any) -> Event:
    return TYPE_OF_TOPIC["ad-impressions"](**{**RECORDS["ad-impressions"], **changed})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("banner_pos", 2**31),
        ("banner_pos", -(2**31) - 1),
        ("cost_micros", 2**63),
        ("cost_micros", None),
        ("cost_micros", 1.5),
        ("event_id", None),
        ("event_id", b"1"),
        ("event_id", "\ud800"),
        ("source", "NOWHERE"),
        ("labelled", 1),
        ("labelled", "false"),
        ("device_id", 5),
        ("attributes", {"C1": 1005}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field: str, value: Any) -> None:
    codec = Codec.for_topic("ad-impressions", 1)
    with pytest.raises(ValueError, match=f"^{field}: "):
        codec.encode(impression(**{field: value}))


def test_an_event_of_another_topic_is_refused() -> None:
    with pytest.raises(TypeError, match="ad-clicks carries no AdImpression"):
        Codec.for_topic("ad-clicks", 1).encode(impression())
