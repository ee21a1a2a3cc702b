"""Poison among the metrics: dead letters byte for byte, and everything else counted."""

from __future__ import annotations

import dataclasses
import random

from cache_writer_stack import CacheWriterStack, delta, wait_until, window_deltas
from confluent_kafka import KafkaError

from roas_contracts import exit_codes
from roas_contracts.decoder import Decoder
from roas_contracts.events import AD_METRICS_1M, DEAD_LETTERS, DeadLetter, DeadLetterReason
from roas_contracts.registry import SchemaSource
from roas_contracts.rules import Rules

_NO_SCHEMA = b"\x00\x7f\xff\xff\xff"


def test_poison_ends_as_dead_letters_and_the_rest_is_counted(stack: CacheWriterStack) -> None:
    chance = random.Random(7)
    good = window_deltas(0) + window_deltas(1)
    encode = stack.codecs[AD_METRICS_1M].encode
    bad_time = dataclasses.replace(delta(1), window_start=1_413_849_600_001)
    foreign = dataclasses.replace(delta(2), currency="EUR")
    poison: list[tuple[bytes | None, DeadLetterReason | None]] = [
        (None, DeadLetterReason.NULL_VALUE),
        (b"", DeadLetterReason.NOT_WIRE_FORMAT),
        (_NO_SCHEMA, DeadLetterReason.UNKNOWN_SCHEMA_ID),
        (encode(delta(3))[:-1], DeadLetterReason.UNDECODABLE),
        (encode(delta(4)) + b"\x00", DeadLetterReason.TRAILING_BYTES),
        (encode(foreign), DeadLetterReason.FOREIGN_CURRENCY),
        (encode(bad_time), DeadLetterReason.INVALID_FIELD),
        (encode(delta(5, value="a\0b")), DeadLetterReason.INVALID_FIELD),
        (
            stack.codecs["ad-metrics-5m"].encode(delta(6)),
            DeadLetterReason.WRONG_RECORD_TYPE,
        ),
        *((b"\x01" + chance.randbytes(chance.randrange(80)), None) for _ in range(40)),
    ]
    chance.shuffle(poison)
    producer = stack.producer()
    producer.begin_transaction()
    sent: list[tuple[bytes | None, list[tuple[str, str | bytes | None]]]] = []
    for number, one in enumerate(good):
        stack.put(producer, one)
        if number % 2 == 0 and len(sent) < len(poison):
            headers: list[tuple[str, str | bytes | None]] = [
                ("trace", b"%d" % number),
                ("trace", b"\xff\x00"),
            ]
            value = poison[len(sent)][0]
            producer.produce(AD_METRICS_1M, key=b"k%d" % number, value=value, headers=headers)
            sent.append((value, headers))
    assert len(sent) == len(poison)
    # Meant for another group: counted as skipped, by nobody here.
    producer.produce(
        AD_METRICS_1M, value=encode(delta(9)), headers=[("roas-for-group", b"alerter")]
    )
    producer.commit_transaction(30)
    stack.sent += good

    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    rows = stack.query(
        "SELECT sum(records_dead_lettered)::bigint, sum(records_skipped)::bigint "
        "FROM realtime.consumed_offsets"
    )
    assert rows == [(len(poison), 1)]

    letters = _dead_letters(stack, len(poison))
    assert len({letter.dead_letter_id for letter in letters}) == len(poison)
    assert sorted(repr((one.value, list(one.headers))) for one in letters) == sorted(
        repr(one) for one in sent
    )
    reasons = {one.value: one.reason for one in letters}
    for value, reason in poison:
        assert reasons[value] == (reason or DeadLetterReason.NOT_WIRE_FORMAT)
    by_position = {(one.topic, one.partition, one.offset) for one in letters}
    assert len(by_position) == len(poison)
    assert {one.consumer_group for one in letters} == {"cache-writer"}


def test_too_much_poison_stops_it_loudly_and_moves_nothing(stack: CacheWriterStack) -> None:
    before = _end_of_dead_letters(stack)
    producer = stack.producer()
    producer.begin_transaction()
    for _ in range(60):
        producer.produce(AD_METRICS_1M, value=b"\x01not ours")
    producer.commit_transaction(30)
    writer = stack.writer(MAX_CONSECUTIVE_DEAD_LETTERS="20")
    assert writer.wait() == exit_codes.USAGE
    assert "ROAS_CACHE_WRITER_MAX_CONSECUTIVE_DEAD_LETTERS" in writer.log
    assert "Traceback" not in writer.log
    assert _end_of_dead_letters(stack) == before
    assert stack.query("SELECT DISTINCT records_dead_lettered FROM realtime.consumed_offsets") == [
        (0,)
    ]


def test_a_registry_that_is_away_makes_no_dead_letter(stack: CacheWriterStack) -> None:
    before = _end_of_dead_letters(stack)
    registry = stack.servers.registry
    registry.stop()
    try:
        stack.send(window_deltas(0))
        writer = stack.writer()
        wait_until(
            "it says what it waits for",
            lambda: "registry" in str(writer.readiness().get("waiting_for")),
        )
        assert stack.applied() == 0
    finally:
        registry.start()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    assert _end_of_dead_letters(stack) == before


def _end_of_dead_letters(stack: CacheWriterStack) -> list[int]:
    with stack.consumer() as consumer:
        return [stack.end(consumer, DEAD_LETTERS, partition) for partition in range(2)]


def _dead_letters(stack: CacheWriterStack, count: int) -> list[DeadLetter]:
    """The newest dead letters of this test: those of its topics' present positions."""
    decoder = Decoder(DEAD_LETTERS, SchemaSource(stack.servers.registry.url), Rules(group="test"))
    found: list[DeadLetter] = []
    ended: set[int] = set()
    with stack.consumer() as consumer:
        consumer.subscribe([DEAD_LETTERS])

        def all_read() -> bool:
            for message in consumer.consume(500, 0.5):
                error = message.error()
                if error is None:
                    letter = decoder.decode(message.value(), None, 0)
                    assert isinstance(letter, DeadLetter)
                    assert message.key() == letter.dead_letter_id.encode()
                    found.append(letter)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition() or 0)
            return len(ended) == 2

        wait_until("the dead letters are read", all_read)
    return [one for one in found if one.failed_at >= stack.started_at]
