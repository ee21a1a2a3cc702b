"""kill -9 of every process of ours in mid-stream, inside open transactions: nothing is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import psycopg
import pytest
from whole_stack import BACKGROUND_SUPERVISOR, WholeStack, wait_until

from roas_local.demo_traffic import TrafficProcess

pytestmark = [pytest.mark.timeout(1200), BACKGROUND_SUPERVISOR]

ROWS = 300_000
EVENT_TOPICS = ("ad-impressions", "ad-clicks", "ad-conversions")
METRIC_TOPICS = ("ad-metrics-1m", "ad-metrics-5m")
# A month after the real rows of the other test.
GENERATE = ("generate", "--rows", str(ROWS), "--hours", "24", "--start", "2014-11-21T00:00Z")


@pytest.fixture()
def traffic(stack: WholeStack) -> Iterator[TrafficProcess]:
    """A producer that would need twelve minutes."""
    producer: TrafficProcess = stack.producer(*GENERATE, "--speed", "120")
    producer.spawn()
    wait_until("the producer is ready", producer.ready, 120)
    yield producer
    producer.stop()


def test_kills_inside_open_transactions_lose_nothing(
    stack: WholeStack, traffic: TrafficProcess
) -> None:
    kill_producer(stack, traffic)
    kill_flink(stack, "taskmanager")
    kill_cache_writer(stack)
    kill_flink(stack, "jobmanager")
    assert traffic.running, "all of this was to happen in mid-stream"
    traffic.stop()
    assert traffic.exit_code == 0, stack.log("producer")
    rest = stack.producer(*GENERATE, "--speed", "max")
    rest.spawn()
    assert rest.wait_exit(300) == 0, stack.log("producer")

    report = stack.ledger(300)
    (line,) = (line for line in report["inputs"] if line["rows_read"] == ROWS)
    assert line["finished"]
    assert line["impressions"] == ROWS


def kill_producer(stack: WholeStack, traffic: TrafficProcess) -> None:
    """Killed with a transaction open: Kafka says so, and so does its log."""
    wait_until("a transaction is open", lambda: stack.open_transactions(*EVENT_TOPICS) > 0, 60)
    traffic.kill()
    said = re.findall(r"transaction (open|committed)", stack.log("producer"))
    assert stack.open_transactions(*EVENT_TOPICS) > 0
    assert said[-1] == "open"
    traffic.spawn()
    wait_until("the producer is ready again", traffic.ready, 120)


def kill_flink(stack: WholeStack, name: str) -> None:
    """Killed while the sinks' transactions are open: Kafka says so before and after."""
    wait_until("a transaction is open", lambda: stack.open_transactions(*METRIC_TOPICS) > 0, 120)
    restarts = stack.unit(name).restarts
    stack.process(name).kill()
    assert stack.open_transactions(*METRIC_TOPICS) > 0
    wait_until_working_again(stack, name, restarts)


def kill_cache_writer(stack: WholeStack) -> None:
    """Killed inside a PostgreSQL transaction: the server logs that its client left one open."""
    told = "unexpected EOF on client connection with an open transaction"
    before = stack.log("postgres").count(told)
    for _ in range(20):
        restarts = stack.unit("cache-writer").restarts
        writer = stack.process("cache-writer")
        wait_until("it is writing", lambda: is_writing(stack), 60)
        writer.kill()
        wait_until_working_again(stack, "cache-writer", restarts)
        if stack.log("postgres").count(told) > before:
            return
    raise AssertionError("no kill met an open transaction")


def wait_until_working_again(stack: WholeStack, name: str, restarts: int) -> None:
    """The supervisor has started it again, and windows arrive in PostgreSQL again."""
    wait_until(f"{name} is back", lambda: stack.unit(name).restarts > restarts, 120)
    written = newest_write(stack)
    wait_until("windows are counted again", lambda: newest_write(stack) > written, 300)


def is_writing(stack: WholeStack) -> bool:
    """Whether a client other than this one is inside a transaction that has written."""
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
            ).fetchone()
            assert row is not None
            if row[0]:
                return True
    return False


def newest_write(stack: WholeStack) -> float:
    with psycopg.connect(stack.dsn) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(updated_at)) FROM realtime.consumed_offsets"
        ).fetchone()
    assert row is not None
    return float(row[0] or 0)
