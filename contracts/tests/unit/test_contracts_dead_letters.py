"""A dead letter keeps the record byte for byte and says where and why."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.codec import Codec
from roas_contracts.dead_letters import (
    DeadLetterBuilder,
    FileRow,
    file_dead_letter_id,
    kafka_dead_letter_id,
)
from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason, Headers, OriginType
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject

BUILDER = DeadLetterBuilder("cache-writer", "0.1.0", "cache-writer")
POISON = PoisonError(DeadLetterReason.UNDECODABLE, "event_id: the bytes end here", 3)


class Consumed:
    """What a consumer hands out (`confluent_kafka.Message` can't be made in every version)."""

    def __init__(
        self,
        key: bytes | None = b"k",
        value: bytes | None = b"\0\xff",
        headers: Sequence[tuple[str, bytes | None]] | None = None,
        timestamp: tuple[int, int] = (1, 1_700_000_000_000),
    ) -> None:
        self._parts = (key, value, headers, timestamp)

    def topic(self) -> str | None:
        return "ad-metrics-1m"

    def partition(self) -> int | None:
        return 1

    def offset(self) -> int | None:
        return 42

    def key(self) -> bytes | None:
        return self._parts[0]

    def value(self) -> bytes | None:
        return self._parts[1]

    def headers(self) -> Sequence[tuple[str, bytes | None]] | None:
        return self._parts[2]

    def timestamp(self) -> tuple[int, int]:
        return self._parts[3]


def test_everything_about_the_record_is_kept() -> None:
    headers: Headers = (("a", b"\xff"), ("b", None), ("a", b""))
    letter = BUILDER.from_record(Consumed(headers=headers), POISON, stage="decode", now_ms=99)

    assert letter.origin_type is OriginType.KAFKA
    assert (letter.topic, letter.partition, letter.offset) == ("ad-metrics-1m", 1, 42)
    assert (letter.key, letter.value, letter.headers) == (b"k", b"\0\xff", headers)
    assert (letter.record_timestamp, letter.timestamp_type) == (1_700_000_000_000, "CREATE_TIME")
    assert (letter.service, letter.service_version) == ("cache-writer", "0.1.0")
    assert (letter.consumer_group, letter.stage) == ("cache-writer", "decode")
    assert (letter.reason, letter.detail) == (POISON.reason, POISON.detail)
    assert (letter.schema_id, letter.attempts) == (3, 1)
    assert letter.first_failed_at == letter.failed_at == 99
    assert letter.replay_of is None
    assert (letter.file_name, letter.file_sha256, letter.line) == (None, None, None)


@given(
    key=st.none() | st.binary(max_size=50),
    value=st.none() | st.binary(max_size=300),
    headers=st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.none() | st.binary())),
)
def test_a_written_dead_letter_reads_back_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    letter = BUILDER.from_record(
        Consumed(key, value, headers), POISON, stage="decode", now_ms=1_700_000_000_000
    )
    written = Codec.for_topic("dead-letters", 6).encode(letter)
    text = load_subject("dead-letters").latest.text

    class Source:
        def schema(self, schema_id: int) -> str:
            return text

    decoder = Decoder("dead-letters", Source(), Rules(group="dlq-handler"))
    read: Any = decoder.decode(written, None, 1_700_000_000_000)

    assert read == letter
    assert (read.key, read.value, list(read.headers)) == (key, value, headers)


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [
        ((0, -1), (None, None)),
        ((1, 5), (5, "CREATE_TIME")),
        ((2, 6), (6, "LOG_APPEND_TIME")),
    ],
)
def test_the_timestamps_type_is_kept(
    given_type: tuple[int, int], kept: tuple[int | None, str | None]
) -> None:
    letter = BUILDER.from_record(Consumed(timestamp=given_type), POISON, stage="s", now_ms=1)
    assert (letter.record_timestamp, letter.timestamp_type) == kept


def test_a_replayed_record_says_of_what() -> None:
    headers = [("roas-replay-of", b"old"), ("roas-replay-of", b"0" * 32)]
    letter = BUILDER.from_record(Consumed(headers=headers), POISON, stage="s", now_ms=1)
    assert letter.replay_of == "0" * 32
    assert letter.headers == tuple(headers)


def test_a_damaged_replay_header_does_not_stop_the_dead_letter() -> None:
    headers = [("roas-replay-of", b"\xff")]
    letter = BUILDER.from_record(Consumed(headers=headers), POISON, stage="s", now_ms=1)
    assert letter.replay_of == "\ufffd"
    Codec.for_topic("dead-letters", 6).encode(letter)


def test_a_file_row() -> None:
    builder = DeadLetterBuilder("producer", "0.1.0", "producer")
    sha256 = hashlib.sha256(b"a file").hexdigest()
    error = PoisonError(DeadLetterReason.INVALID_CLICK, "click: '2' is not 0 or 1")
    row = FileRow("train.csv", sha256, 17, b"1,2,14102100")
    letter = builder.from_file_row(row, error, stage="parse", now_ms=5)

    assert letter.origin_type is OriginType.FILE
    assert (letter.file_name, letter.file_sha256, letter.line) == ("train.csv", sha256, 17)
    assert (letter.key, letter.value, letter.headers) == (None, b"1,2,14102100", ())
    assert (letter.topic, letter.partition, letter.offset) == (None, None, None)
    assert letter.schema_id is None
    assert letter.dead_letter_id == file_dead_letter_id(sha256, 17, "producer")


def test_an_id_is_the_same_failure_and_no_other() -> None:
    one = kafka_dead_letter_id("t", 1, 2, "g")
    assert one == kafka_dead_letter_id("t", 1, 2, "g")
    assert len(one) == 32
    others = [
        kafka_dead_letter_id("u", 1, 2, "g"),
        kafka_dead_letter_id("t", 2, 2, "g"),
        kafka_dead_letter_id("t", 1, 3, "g"),
        kafka_dead_letter_id("t", 1, 2, "h"),
        kafka_dead_letter_id("t", 12, 2, "g"),
        file_dead_letter_id("t", 1, "g"),
    ]
    assert len({one, *others}) == 7
