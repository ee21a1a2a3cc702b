"""kill -9 of the real process: at random moments, and inside an open transaction."""

from __future__ import annotations

import random
import threading

import psycopg
from cache_writer_stack import CacheWriterStack, wait_until, window_deltas

from roas_cache_writer.store import APPLICATION_NAME


def test_exactly_once_when_killed_at_random_moments(stack: CacheWriterStack) -> None:
    moments = random.Random(20141021)
    windows = 40
    sent = threading.Event()

    def stream() -> None:
        producer = stack.producer()
        for window in range(windows):
            stack.send(window_deltas(window), producer)
        sent.set()

    streaming = threading.Thread(target=stream)
    streaming.start()
    total = windows * len(window_deltas(0))
    try:
        for kill in range(6):
            writer = stack.writer(BATCH_MAX_RECORDS="97")
            # Each life gets a little further, and ends wherever it happens to be.
            goal = min(total - 1, (kill + 1) * total // 8 + moments.randrange(200))
            _wait_until_counted(stack, goal)
            writer.kill()
            assert stack.applied() < total, "the test must kill in mid-stream"
    finally:
        streaming.join(60)
    assert sent.is_set()
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    assert writer.stop() == 0


def test_exactly_once_when_killed_inside_an_open_transaction(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0))
    first = stack.writer()
    stack.wait_until_counted()
    with psycopg.connect(stack.dsn) as blocker:
        # The writer's next transaction moves the offsets and updates the 1m rows; then it has to
        # wait for this lock, in the middle.
        blocker.execute("LOCK TABLE realtime.metrics_5m IN SHARE ROW EXCLUSIVE MODE")
        stack.send(window_deltas(1))
        process_id = wait_until("its transaction is open and waits", lambda: _waiting(stack))
        first.kill()
        assert stack.applied() == len(window_deltas(0)), "nothing of it is visible"
    wait_until(
        "PostgreSQL has rolled it back",
        lambda: not stack.query("SELECT 1 FROM pg_stat_activity WHERE pid = %s", process_id),
    )
    log = stack.servers.postgres.log_path.read_text()
    last_words = [line for line in log.splitlines() if f"[{process_id}]" in line]
    assert any(
        "connection to client lost" in line or "with an open transaction" in line
        for line in last_words
    ), f"PostgreSQL must have lost its client inside the transaction: {last_words}"
    second = stack.writer()
    stack.wait_until_counted()
    second.wait_until_ready()
    stack.assert_exact()


def _wait_until_counted(stack: CacheWriterStack, goal: int) -> None:
    wait_until("it has come far enough to be killed", lambda: stack.applied() >= goal)


def _waiting(stack: CacheWriterStack) -> int | None:
    """The server process of the writer's transaction, when it waits for a lock."""
    rows = stack.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = "
        "current_database() AND wait_event_type = 'Lock' AND xact_start IS NOT NULL",
        APPLICATION_NAME,
    )
    return int(rows[0][0]) if rows else None
