"""Partitions, topics or everything silent for longer than the idle timeout: nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_results import Metrics, flink_metric, read_metrics, wait_until
from stream_stack import StreamStack, stream_stack
from stream_traffic import MINUTE, START, AdEvent, events, expected_rows

from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS, AdClick, AdConversion
from roas_contracts.heartbeat import heartbeat_headers

HOUR = 60 * MINUTE
IDLE_AFTER_MS = 10_000
PAST_THE_END = 6 * MINUTE


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    """One stack, and a job that soon takes a partition for idle; each test has its own hour."""
    directory: Path = tmp_path_factory.mktemp("idleness")
    with (
        stream_stack(directory) as running,
        running.service(IDLE_AFTER_MS=str(IDLE_AFTER_MS)),
    ):
        yield running


def wait_until_idle(stack: StreamStack) -> None:
    """Until no source has read anything for longer than the idle timeout, as Flink says."""

    def silent() -> bool:
        times = flink_metric(stack.flink.taskmanager.metrics_url, "operator_sourceIdleTime")
        return len(times) == 2 and min(times) > IDLE_AFTER_MS + 2_000

    wait_until("every source is idle", silent)


def wait_for_events(stack: StreamStack, hour: int, count: int) -> Metrics:
    """Until that many events of an hour are in the metrics of both lengths."""

    def counted() -> bool:
        metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
        return all(sum(metrics.total(length)[:3]) >= count for length in (MINUTE, 5 * MINUTE))

    wait_until(f"{count} events in both metrics topics", counted, 90)
    return read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)


def beat(stack: StreamStack, clock: int, partitions: list[tuple[str, int]]) -> None:
    """A heartbeat to some partitions only."""
    sender = stack.sender()
    for topic, partition in partitions:
        sender.send_raw(topic, None, partition=partition, headers=list(heartbeat_headers(clock)))
    sender.flush()


def test_nothing_is_late_when_a_stack_that_was_idle_gets_traffic_at_full_speed(
    stack: StreamStack,
) -> None:
    hour = START
    sent = list(events(41, hour, hour + 40 * MINUTE, 30_000))
    wait_until_idle(stack)
    sender = stack.sender(**{"transactional.id": "full-speed"})
    with sender.transaction():
        for event in sent:
            sender.send(event)
        sender.heartbeat(hour + 40 * MINUTE + PAST_THE_END)

    metrics = wait_for_events(stack, hour, len(sent))
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1
    assert metrics.late_events == 0, wakings(stack)


def wakings(stack: StreamStack) -> list[str]:
    """When each source woke."""
    log = stack.flink.taskmanager.log_path.read_text(errors="replace")
    return [line for line in log.splitlines() if "after a silence" in line]


def test_partitions_and_topics_that_were_silent_may_deliver_old_events(
    stack: StreamStack,
) -> None:
    """The others go on without them, and close the windows that the old events belong to."""
    hour = START + HOUR
    silent = [(AD_IMPRESSIONS, 3)]
    silent += [(topic, number) for topic in (AD_CLICKS, AD_CONVERSIONS) for number in (0, 1)]
    speaking = [(AD_IMPRESSIONS, number) for number in range(3)]
    all_events = list(events(42, hour, hour + 10 * MINUTE, 8_000))
    old, new = split(all_events)
    sender = stack.sender()
    for number, event in enumerate(new):
        sender.send(event, partition=number % 3)
    sender.flush()

    def closed() -> bool:
        beat(stack, hour + 10 * MINUTE + PAST_THE_END, speaking)
        metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
        return metrics.total(5 * MINUTE)[0] >= len(new)

    wait_until("windows closed without the silent ones", closed)
    for number, event in enumerate(old):
        sender.send(event, partition=3 if number % 2 and not is_small(event) else None)
    sender.flush()
    beat(stack, hour + 10 * MINUTE + PAST_THE_END, silent)

    metrics = wait_for_events(stack, hour, len(all_events))
    assert metrics.difference(expected_rows(all_events)) == {}
    assert max(metrics.on_time.values()) == 1
    assert metrics.late_events == len(old)


def split(all_events: list[AdEvent]) -> tuple[list[AdEvent], list[AdEvent]]:
    """Half of the impressions and everything else are old; the other impressions are not."""
    old = [event for number, event in enumerate(all_events) if is_small(event) or number % 2]
    new = [
        event for number, event in enumerate(all_events) if not is_small(event) and not number % 2
    ]
    return old, new


def is_small(event: AdEvent) -> bool:
    return isinstance(event, AdClick | AdConversion)


def test_the_last_windows_close_without_heartbeats(stack: StreamStack) -> None:
    """Event time goes on with the wall clock when everything is idle."""
    hour = START + 2 * HOUR
    sent = list(events(43, hour, hour + 5 * MINUTE, 3_000))
    sender = stack.sender()
    for event in sent:
        sender.send(event)
    sender.flush()

    metrics = wait_for_events(stack, hour, len(sent))
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1


def test_the_last_windows_close_after_a_kill_when_everything_was_read_before(
    stack: StreamStack,
) -> None:
    hour = START + 3 * HOUR
    sent = list(events(44, hour, hour + 5 * MINUTE, 3_000))
    sender = stack.sender()
    for event in sent:
        sender.send(event)
    sender.flush()
    wait_until(
        "the first minutes",
        lambda: read_metrics(stack.kafka.bootstrap, hour, hour + HOUR).total(MINUTE)[0] > 0,
    )
    stack.flink.taskmanager.kill()
    stack.flink.taskmanager.start()

    metrics = wait_for_events(stack, hour, len(sent))
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1
