"""PostgreSQL stops in mid-stream: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import pytest
from cache_writer_stack import CacheWriterStack, wait_until, window_deltas


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_nothing_is_lost_while_postgres_is_away(stack: CacheWriterStack, how: str) -> None:
    server = stack.servers.postgres
    producer = stack.producer()
    writer = stack.writer(BATCH_MAX_RECORDS="61")
    for window in range(5):
        stack.send(window_deltas(window), producer)
    wait_until("it is in the middle", lambda: stack.applied() > 100)
    getattr(server, how)()
    try:
        for window in range(5, 8):
            stack.send(window_deltas(window), producer)
        wait_until("readiness says so", lambda: writer.readiness().get("postgres") is False)
        assert writer.readiness()["ready"] is False
    finally:
        server.start()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    assert writer.stop() == 0
