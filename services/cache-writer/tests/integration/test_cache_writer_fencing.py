"""A writer that was thought dead must not count any more."""

from __future__ import annotations

import signal

import psycopg
from cache_writer_stack import CacheWriterStack, wait_until, window_deltas

from roas_contracts import exit_codes


def test_zombie_is_fenced_by_its_successor(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0))
    zombie = stack.writer()
    zombie.wait_until_ready()
    stack.wait_until_counted()
    zombie.send_signal(signal.SIGSTOP)
    stack.send(window_deltas(1))
    successor = stack.writer()
    stack.wait_until_counted()
    zombie.send_signal(signal.SIGCONT)
    stack.send(window_deltas(2))  # Something for both to write.
    assert zombie.wait() == exit_codes.NO
    assert "another cache-writer has taken over" in zombie.log
    stack.wait_until_counted()
    successor.wait_until_ready()
    stack.assert_exact()
    assert successor.stop() == exit_codes.OK


def test_successor_need_not_wait_for_a_zombie_that_holds_locks(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0))
    zombie = stack.writer()
    stack.wait_until_counted()
    with psycopg.connect(stack.dsn) as blocker:
        blocker.execute("LOCK TABLE realtime.metrics_5m IN SHARE ROW EXCLUSIVE MODE")
        stack.send(window_deltas(1))
        wait_until(
            "the zombie holds the offsets' rows in an open transaction",
            lambda: stack.query(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            ),
        )
        zombie.send_signal(signal.SIGSTOP)
    # The statement goes through, the frozen writer never commits: PostgreSQL ends its session.
    successor = stack.writer()
    successor.wait_until_ready()
    stack.wait_until_counted()
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait() == exit_codes.NO
    stack.assert_exact()
