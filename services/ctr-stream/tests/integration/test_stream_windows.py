"""Windows, poison and outages on real Kafka, a real registry and a real Flink cluster."""

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from stream_results import read_dead_letters, read_metrics, wait_until
from stream_stack import StreamStack, stream_stack
from stream_traffic import MINUTE, START, AdEvent, Sender, events, expected_rows

from roas_contracts.dead_letters import kafka_dead_letter_id
from roas_contracts.events import AD_CLICKS, AD_IMPRESSIONS, AD_METRICS_1M, AdImpression
from roas_contracts.wire import pack

HOUR = 60 * MINUTE
PAST_THE_END = 6 * MINUTE


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    """One stack and one running job; each test uses an hour of its own, in this order."""
    directory: Path = tmp_path_factory.mktemp("stream")
    with stream_stack(directory) as running, running.service():
        yield running


def wait_for_events(stack: StreamStack, hour: int, count: int, seconds: float = 90.0) -> None:
    """Until that many events of an hour are in the metrics of both lengths."""

    def counted() -> bool:
        metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
        return all(sum(metrics.total(length)[:3]) >= count for length in (MINUTE, 5 * MINUTE))

    wait_until(f"{count} events in both metrics topics", counted, seconds)


def test_windows_equal_an_independent_count_and_the_last_ones_close(stack: StreamStack) -> None:
    sent = list(events(1, START, START + 12 * MINUTE, 20_000, disorder_ms=3_000))
    sender = stack.sender()
    for number, event in enumerate(sent):
        sender.send(event)
        if number % 2_000 == 0:
            sender.heartbeat(event.event_time - 3_000)
    sender.heartbeat(START + 12 * MINUTE + PAST_THE_END)
    sender.flush()

    wait_for_events(stack, START, len(sent))

    metrics = read_metrics(stack.kafka.bootstrap, START, START + HOUR)
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1
    assert metrics.late_events == 0
    assert metrics.keys_wrong == 0


def test_poison_ends_as_dead_letters_byte_for_byte_and_every_good_event_counts(
    stack: StreamStack,
) -> None:
    hour = START + HOUR
    rng = random.Random(7)
    sent = list(events(2, hour, hour + 6 * MINUTE, 20_000, disorder_ms=3_000))
    sender = stack.sender()
    poison: list[bytes] = []
    for event in sent:
        if rng.random() < 0.6:
            bad = make_poison(rng, sender.encode(event), stack)
            poison.append(bad)
            sender.send_raw(
                rng.choice((AD_IMPRESSIONS, AD_CLICKS)),
                bad,
                key=rng.choice((None, b"k", b"\xff\x00")),
                headers=[("trace", b"1"), ("trace", b"2")],
            )
        sender.send(event)
    sender.heartbeat(hour + 6 * MINUTE + PAST_THE_END)
    sender.flush()
    assert len(poison) >= 10_000

    wait_for_events(stack, hour, len(sent))
    wait_until(
        "every dead letter", lambda: len(read_dead_letters(stack.kafka.bootstrap)) >= len(poison)
    )

    metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
    assert metrics.difference(expected_rows(sent)) == {}
    letters = read_dead_letters(stack.kafka.bootstrap)
    assert sorted(letter["value"] for letter in letters) == sorted(poison)
    assert {letter["reason"] for letter in letters} == {
        "NOT_WIRE_FORMAT",
        "UNKNOWN_SCHEMA_ID",
        "WRONG_RECORD_TYPE",
        "UNDECODABLE",
        "TRAILING_BYTES",
    }
    for letter in letters:
        assert letter["dead_letter_id"] == kafka_dead_letter_id(
            letter["topic"], letter["partition"], letter["offset"], "ctr-stream"
        )
        assert [(h["name"], h["value"]) for h in letter["headers"]] == [
            ("trace", b"1"),
            ("trace", b"2"),
        ]
        assert letter["timestamp_type"] == "CREATE_TIME"
    assert len({letter["dead_letter_id"] for letter in letters}) == len(letters)


def make_poison(rng: random.Random, good: bytes, stack: StreamStack) -> bytes:
    kind = rng.randrange(10)
    if kind < 6:
        return random_bytes(rng)
    if kind == 6:
        return good[: rng.randrange(5, len(good))]
    if kind == 7:
        return good + rng.randbytes(rng.randrange(1, 20))
    if kind == 8:
        return pack(stack.schema_ids[AD_METRICS_1M], good[5:])
    return pack(rng.choice((4_711, 2**31 - 1, -1)), good[5:])


def random_bytes(rng: random.Random) -> bytes:
    """Random bytes that are no event; half of them look like one at first."""
    body = rng.randbytes(rng.randrange(0, 300))
    return b"\x00\x00\x00\x00\x03" + body if rng.random() < 0.5 else b"\x01" + body


def test_a_registry_that_is_away_pauses_consumption_and_nothing_is_dead_lettered(
    stack: StreamStack,
) -> None:
    hour = START + 2 * HOUR
    before = len(read_dead_letters(stack.kafka.bootstrap))
    sent = list(events(3, hour, hour + 6 * MINUTE, 6_000))
    sender = stack.sender()
    new_id = register_another_version(stack)
    stack.registry.kill()
    try:
        for number, event in enumerate(sent):
            if number % 3 == 0:
                send_as(sender, event, new_id)
            else:
                sender.send(event)
        sender.heartbeat(hour + 6 * MINUTE + PAST_THE_END)
        sender.flush()
        wait_until("the job waits for the registry", lambda: "waits" in taskmanager_log(stack))
        assert len(read_dead_letters(stack.kafka.bootstrap)) == before
    finally:
        stack.registry.start()

    wait_for_events(stack, hour, len(sent))

    metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
    assert metrics.difference(expected_rows(sent)) == {}
    assert len(read_dead_letters(stack.kafka.bootstrap)) == before


def register_another_version(stack: StreamStack) -> int:
    """The same fields under an id that the job has not seen (a changed doc is another schema)."""
    subject = f"{AD_IMPRESSIONS}-value"
    base = f"{stack.registry.url}/subjects/{subject}/versions"
    schema = httpx.get(f"{base}/latest", timeout=10).json()["schema"]
    changed = schema.replace("An ad was shown once.", "An ad was shown once, on a screen.")
    assert changed != schema
    answer = httpx.post(base, json={"schema": changed}, timeout=10)
    answer.raise_for_status()
    return int(answer.json()["id"])


def send_as(sender: Sender, event: AdEvent, schema_id: int) -> None:
    """Impressions under another schema id; clicks and conversions as always."""
    if isinstance(event, AdImpression):
        sender.send_raw(AD_IMPRESSIONS, pack(schema_id, sender.encode(event)[5:]))
    else:
        sender.send(event)


def taskmanager_log(stack: StreamStack) -> str:
    return stack.flink.taskmanager.log_path.read_text(errors="replace")


def test_late_events_are_counted_as_late(stack: StreamStack) -> None:
    hour = START + 3 * HOUR
    on_time = list(events(4, hour, hour + 10 * MINUTE, 5_000))
    late = list(events(5, hour, hour + 3 * MINUTE, 700))
    sender = stack.sender()
    for event in on_time:
        sender.send(event)
    sender.heartbeat(hour + 11 * MINUTE)
    sender.flush()
    wait_until(
        "the first ten minutes are closed",
        lambda: read_metrics(stack.kafka.bootstrap, hour, hour + HOUR).total(5 * MINUTE)[0] > 0,
    )
    for event in late:
        sender.send(event)
    sender.flush()

    wait_for_events(stack, hour, len(on_time) + len(late))

    metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
    assert metrics.difference(expected_rows(on_time + late)) == {}
    assert metrics.late_events == len(late)
    assert max(metrics.on_time.values()) == 1
