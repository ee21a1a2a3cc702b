"""A backlog, a registry away at start, bursts of poison, orphaned transactions: in this order."""

import dataclasses
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from stream_results import (
    flink_metric,
    open_transactions,
    read_dead_letters,
    read_metrics,
    wait_until,
)
from stream_stack import StreamStack, stream_stack
from stream_traffic import MINUTE, START, TOPIC_OF, AdEvent, events, expected_rows

from roas_contracts.consuming.dead_letter_sink import largest_dead_letter_bytes
from roas_contracts.events import AD_CLICKS, EVENT_TOPICS, AdConversion
from roas_contracts.headers import VALUE_LEFT_OUT
from roas_local.components import ServiceProcess

DAY = 24 * 60 * MINUTE
DAYS = 3
PAST_THE_END = 6 * MINUTE
BACKLOG = 60_000
LARGEST_STATE_BYTES = 20_000_000
"""All 119,000 sums of the backlog by minute and dimension value, 70 bytes each, are half that."""
STATE_OF_CLOSED_WINDOWS_BYTES = 100_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    directory: Path = tmp_path_factory.mktemp("disorder")
    with stream_stack(directory) as running:
        yield running


@pytest.fixture(scope="module")
def backlog(stack: StreamStack) -> list[AdEvent]:
    """Three days of traffic that nobody has read yet."""
    sent = list(events(51, START, START + DAYS * DAY, BACKLOG, disorder_ms=3_000))
    sender = stack.sender()
    for event in sent:
        sender.send(event)
    sender.heartbeat(START + DAYS * DAY + PAST_THE_END)
    sender.flush()
    return sent


@pytest.fixture(scope="module")
def service(stack: StreamStack, backlog: list[AdEvent]) -> Iterator[ServiceProcess]:
    """Started while the registry is away, and ready when it is back."""
    assert backlog
    stack.registry.kill()
    process = stack.service_process()
    try:
        process.spawn()
        wait_until("the service waits", lambda: '"waiting"' in process.log_path.read_text())
        stack.registry.start()
        process.wait_ready()
        yield process
    finally:
        process.stop()


def wait_for_events(stack: StreamStack, since: int, count: int, seconds: float = 60.0) -> None:
    """Until that many events are in the metrics of both lengths."""

    def counted() -> bool:
        metrics = read_metrics(stack.kafka.bootstrap, since)
        return all(sum(metrics.total(n * MINUTE)[:3]) >= count for n in (1, 5))

    wait_until(f"{count} events in both metrics topics", counted, seconds)


def checkpoints(stack: StreamStack) -> Any:
    """What Flink says of the running job's checkpoints."""
    jobs = httpx.get(f"{stack.flink.rest_url}/jobs", timeout=10).json()["jobs"]
    (job,) = (job["id"] for job in jobs if job["status"] == "RUNNING")
    return httpx.get(f"{stack.flink.rest_url}/jobs/{job}/checkpoints", timeout=10).json()


@pytest.mark.usefixtures("service")
def test_a_backlog_of_days_gives_the_same_windows_and_leaves_no_state_behind(
    stack: StreamStack, backlog: list[AdEvent]
) -> None:
    """Three topics, one with thirty times the rate of another, read at full speed."""

    wait_for_events(stack, START, len(backlog), 180)
    metrics = read_metrics(stack.kafka.bootstrap)
    assert metrics.difference(expected_rows(backlog)) == {}
    assert max(metrics.on_time.values()) == 1
    assert metrics.late_events == 0
    seen = checkpoints(stack)
    assert seen["latest"]["completed"]["state_size"] < STATE_OF_CLOSED_WINDOWS_BYTES
    assert seen["summary"]["state_size"]["max"] < LARGEST_STATE_BYTES


@pytest.mark.usefixtures("service")
def test_flinks_metrics_tell_prometheus_how_the_stream_is(stack: StreamStack) -> None:
    tasks, job = stack.flink.taskmanager.metrics_url, stack.flink.jobmanager.metrics_url
    assert sum(flink_metric(tasks, "operator_events")) == BACKLOG
    assert flink_metric(tasks, "operator_late") == [0, 0]
    assert flink_metric(tasks, "operator_pendingRecords") == [0, 0]
    closed = START + DAYS * DAY
    assert max(flink_metric(tasks, "operator_currentInputWatermark")) > closed
    assert 0 < flink_metric(job, "lastCheckpointDuration")[0] < 30_000
    assert 0 < flink_metric(job, "lastCheckpointSize")[0] < LARGEST_STATE_BYTES
    assert flink_metric(job, "numRestarts") == [0]


@pytest.mark.usefixtures("service")
def test_known_schemas_go_on_while_the_registry_is_away(stack: StreamStack) -> None:
    start = START + DAYS * DAY + DAY // 2
    sent = list(events(55, start, start + 5 * MINUTE, 2_000))
    sender = stack.sender()
    stack.registry.kill()
    try:
        for event in sent:
            sender.send(event)
        sender.heartbeat(start + 5 * MINUTE + PAST_THE_END)
        sender.flush()
        wait_for_events(stack, start, len(sent))
    finally:
        stack.registry.start()
    assert read_metrics(stack.kafka.bootstrap, start).difference(expected_rows(sent)) == {}


@pytest.mark.usefixtures("service")
def test_bursts_of_poison_and_absurd_values_move_no_clock_and_hide_no_event(
    stack: StreamStack,
) -> None:
    start = START + (DAYS + 1) * DAY
    sender = stack.sender()
    rng = random.Random(52)
    sent = list(events(53, start, start + 10 * MINUTE, 4_000))
    absurd = [value for event in sent[:300] for value in absurd_values(event)]
    for topic in EVENT_TOPICS:
        for _ in range(5_000):
            sender.send_raw(topic, rng.randbytes(rng.randrange(1, 40)))
    for event in absurd:
        sender.send_raw(TOPIC_OF[type(event)], sender.encode(event))
    for event in sent:
        sender.send(event)
    sender.heartbeat(start + 10 * MINUTE + PAST_THE_END)
    sender.flush()

    wait_for_events(stack, start, len(sent))
    metrics = read_metrics(stack.kafka.bootstrap, start)
    assert metrics.difference(expected_rows(sent)) == {}
    assert metrics.late_events == 0

    def letters() -> Counter[str]:
        return Counter(letter["reason"] for letter in read_dead_letters(stack.kafka.bootstrap))

    wait_until("every dead letter", lambda: letters().total() >= 15_000 + len(absurd))
    reasons = letters()
    assert reasons.total() == 15_000 + len(absurd)
    assert reasons["EVENT_TIME_OUT_OF_BOUNDS"] == 300 * 4
    assert reasons["INVALID_FIELD"] == 300 * 4
    assert reasons["FOREIGN_CURRENCY"] == 300


@pytest.mark.usefixtures("service")
def test_records_that_only_packing_made_small_are_dead_letters_and_stop_nobody(
    stack: StreamStack,
) -> None:
    start = START + (DAYS + 1) * DAY + DAY // 2
    # Repeats lie farther apart than lz4 looks back: packed again by the sink it stays large.
    kept = b"\x01" + random.Random(56).randbytes(500_000) * 40
    left_out = bytes(largest_dead_letter_bytes() + 1)
    packing = {"compression.type": "zstd", "message.max.bytes": "100000000"}
    sender = stack.sender(**packing)
    sender.send_raw(AD_CLICKS, kept, key=b"kept")
    sender.send_raw(AD_CLICKS, left_out, key=b"left out")
    sent = list(events(57, start, start + 5 * MINUTE, 1_000))
    for event in sent:
        sender.send(event)
    sender.heartbeat(start + 5 * MINUTE + PAST_THE_END)
    sender.flush()
    assert sender.failures == []

    wait_for_events(stack, start, len(sent), 180)

    def letters() -> dict[bytes, dict[str, Any]]:
        found = read_dead_letters(stack.kafka.bootstrap)
        return {one["key"]: one for one in found if one["key"] in (b"kept", b"left out")}

    wait_until("both dead letters", lambda: len(letters()) == 2)
    both = letters()
    assert both[b"kept"]["value"] == kept
    assert both[b"left out"]["value"] is None
    (header,) = both[b"left out"]["headers"]
    assert (header["name"], header["value"]) == (VALUE_LEFT_OUT, b"%d" % len(left_out))
    assert f"its value of {len(left_out)} bytes is left out" in both[b"left out"]["detail"]
    assert flink_metric(stack.flink.jobmanager.metrics_url, "numRestarts") == [0]


def absurd_values(event: AdEvent) -> Iterator[AdEvent]:
    """Records that decode, and that nobody should believe."""
    for event_time in (0, -(2**62), 2**63 - 1, 253_402_300_799_000):
        yield dataclasses.replace(event, event_time=event_time)
    for campaign_id in ("", "c" * 257, "a\0b"):
        yield dataclasses.replace(event, campaign_id=campaign_id)
    if isinstance(event, AdConversion):
        yield dataclasses.replace(event, revenue_micros=2**63 - 1)
    else:
        yield dataclasses.replace(event, cost_micros=2**63 - 1)
    yield dataclasses.replace(event, currency="EUR")


def test_transactions_of_a_job_that_is_dead_for_good_hold_readers_up_for_their_timeout_only(
    stack: StreamStack, service: ServiceProcess
) -> None:
    service.stop()
    start = START + (DAYS + 2) * DAY
    traffic = iter(events(54, start, start + 600 * MINUTE, 600_000))
    sender = stack.sender()

    def left_open() -> bool:
        for event in itertools.islice(traffic, 2_000):
            sender.send(event)
        sender.heartbeat(event.event_time)
        sender.flush()
        return bool(open_transactions(stack.kafka.bootstrap))

    dying = stack.service_process(TRANSACTION_TIMEOUT_MS="10000", CHECKPOINT_INTERVAL_MS="5000")
    with dying:
        wait_until("an open transaction", left_open)
        stack.flink.kill()
        dying.kill()
        assert open_transactions(stack.kafka.bootstrap), "the kill hit no open transaction"
    wait_until(
        "the broker has aborted them", lambda: not open_transactions(stack.kafka.bootstrap), 90
    )
