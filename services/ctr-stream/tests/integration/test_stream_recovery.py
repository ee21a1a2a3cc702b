"""kill -9 in mid-stream, with a transaction open: nothing is lost and nothing is counted twice."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stream_results import open_transactions, read_metrics, wait_until
from stream_stack import StreamStack, stream_stack
from stream_traffic import MINUTE, START, AdEvent, Sender, events, expected_rows

from roas_local.components import ServiceProcess

HOUR = 60 * MINUTE
MINUTES = 40
EVENTS = 40_000
SECONDS = 40.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    directory: Path = tmp_path_factory.mktemp("recovery")
    with stream_stack(directory) as running:
        yield running


@pytest.fixture(scope="module")
def service(stack: StreamStack) -> Iterator[ServiceProcess]:
    """Checkpoints are three seconds apart, so that a kill nearly always hits a transaction."""
    with stack.service(CHECKPOINT_INTERVAL_MS="3000") as process:
        yield process


class Traffic:
    """One event minute a second, with heartbeats, from a thread of its own."""

    def __init__(self, sender: Sender, seed: int, hour: int) -> None:
        self.sent: list[AdEvent] = list(events(seed, hour, hour + MINUTES * MINUTE, EVENTS))
        self._sender = sender
        self._end = hour + MINUTES * MINUTE
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=4 * SECONDS)
        assert not self._thread.is_alive(), "the traffic did not end"
        self._sender.heartbeat(self._end + 6 * MINUTE)
        self._sender.flush()

    def _run(self) -> None:
        started = time.monotonic()
        a_second = int(EVENTS / SECONDS)
        for number, event in enumerate(self.sent):
            if number % a_second == 0:
                self._sender.heartbeat(event.event_time)
                ahead = started + SECONDS * number / EVENTS - time.monotonic()
                time.sleep(max(0.0, ahead))
            self._sender.send(event)


def counted(stack: StreamStack, hour: int) -> int:
    return sum(read_metrics(stack.kafka.bootstrap, hour, hour + HOUR).total(MINUTE)[:3])


def kill_with_a_transaction_open(
    stack: StreamStack, hour: int, kill: Callable[[], None], start: Callable[[], object]
) -> dict[str, int]:
    """Kill in mid-stream; what was written and not committed then."""
    wait_until("results of this hour", lambda: counted(stack, hour) > 0, 60)
    wait_until("an open transaction", lambda: bool(open_transactions(stack.kafka.bootstrap)), 30)
    kill()
    left_open = open_transactions(stack.kafka.bootstrap)
    start()
    return left_open


def check_exact(stack: StreamStack, hour: int, sent: list[AdEvent]) -> None:
    wait_until("every event in the metrics", lambda: counted(stack, hour) >= len(sent), 120)
    wait_until(
        "every event in the five-minute metrics",
        lambda: sum(read_metrics(stack.kafka.bootstrap, hour).total(5 * MINUTE)[:3]) >= len(sent),
        60,
    )
    metrics = read_metrics(stack.kafka.bootstrap, hour, hour + HOUR)
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1


@pytest.mark.usefixtures("service")
def test_a_killed_taskmanager_loses_and_doubles_nothing(stack: StreamStack) -> None:
    hour = START
    with Traffic(stack.sender(), 11, hour) as traffic:
        left_open = kill_with_a_transaction_open(
            stack, hour, stack.flink.taskmanager.kill, stack.flink.taskmanager.start
        )
    assert left_open, "the kill hit no open transaction"
    check_exact(stack, hour, traffic.sent)


@pytest.mark.usefixtures("service")
def test_a_killed_jobmanager_loses_and_doubles_nothing(stack: StreamStack) -> None:
    hour = START + HOUR
    with Traffic(stack.sender(), 12, hour) as traffic:
        left_open = kill_with_a_transaction_open(
            stack, hour, stack.flink.jobmanager.kill, stack.flink.jobmanager.start
        )
    assert left_open, "the kill hit no open transaction"
    check_exact(stack, hour, traffic.sent)


def test_a_restarted_service_adopts_the_job_or_goes_on_from_its_checkpoint(
    stack: StreamStack, service: ServiceProcess
) -> None:
    hour = START + 2 * HOUR
    with Traffic(stack.sender(), 13, hour) as traffic:
        wait_until("results of this hour", lambda: counted(stack, hour) > 0, 60)
        service.kill()
        service.start()
        assert stack.alive_jobs() == 1
        service.stop()
        assert stack.alive_jobs() == 0
        service.start()
        assert stack.alive_jobs() == 1
    check_exact(stack, hour, traffic.sent)
