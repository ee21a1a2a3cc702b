"""Redis is a copy: emptied, stopped or killed, it is made to equal PostgreSQL again."""

from __future__ import annotations

import dataclasses
import json

from cache_writer_stack import CacheWriterStack, sums, wait_until, window_deltas

from roas_contracts.events import AdMetric, DeltaKind
from roas_contracts.redis_layout import RedisMetricsReader, WindowSize


def test_flushed_redis_is_filled_again_by_the_running_writer(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0) + window_deltas(1))
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()
    before = RedisMetricsReader(stack.redis).freshness().sizes[WindowSize.ONE_MINUTE]
    stack.redis.flushall()
    stack.assert_exact()
    wait_until("the writer is ready again", lambda: writer.readiness().get("ready"))
    after = RedisMetricsReader(stack.redis).freshness().sizes[WindowSize.ONE_MINUTE]
    assert after.newest_window_start == before.newest_window_start
    assert after.warmed_at > before.warmed_at


def test_warm_makes_redis_equal_postgres(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0) + window_deltas(1))
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    writer.stop()
    stack.redis.flushall()
    warmed = stack.cli("warm", "--json")
    assert warmed.returncode == 0, warmed.stderr
    assert json.loads(warmed.stdout)["1m"]["rows_set"] == len(sums(stack.sent)) // 2
    stack.assert_exact()

    # What PostgreSQL has lost goes, and a copy that is ahead of a restored PostgreSQL is set back.
    lost = ("1m", window_deltas(0)[1].window_start, "campaign", "c0")
    older = ("1m", window_deltas(0)[1].window_start, "campaign", "c1")
    stack.query("DELETE FROM realtime.metrics_1m WHERE value = 'c0' RETURNING 1")
    stack.query(
        "UPDATE realtime.metrics_1m SET revision = 0, on_time_impressions = 7 "
        "WHERE value = 'c1' RETURNING 1"
    )
    assert stack.cli("warm").returncode == 0
    held = stack.in_redis()
    assert lost not in held
    assert held[older][0] == 7
    assert held == stack.in_postgres()


def test_counting_goes_on_while_redis_is_away(stack: CacheWriterStack) -> None:
    server = stack.servers.redis
    stack.send(window_deltas(0))
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    server.kill()
    try:
        stack.send(window_deltas(1))
        stack.wait_until_counted()
        wait_until("readiness says so", lambda: writer.readiness().get("redis_warm") is False)
        assert writer.readiness()["ready"] is False
        stack.send(window_deltas(2))
        stack.wait_until_counted()
    finally:
        server.start()
    writer.wait_until_ready()
    stack.assert_exact()
    # A correction of a window that is long there: absolute totals replace what is held.
    late = [one for one in window_deltas(0) if one.dimension == "total"]
    corrected = [_changed(one, DeltaKind.LATE) for one in late]
    corrected += [_changed(one, DeltaKind.CORRECTION, -1) for one in late]
    stack.send(corrected)
    stack.wait_until_counted()
    stack.assert_exact()
    row = RedisMetricsReader(stack.redis).window("1m", "total", late[0].window_start)["all"]
    assert row.late.impressions == late[0].impressions
    assert row.correction.impressions == -late[0].impressions
    assert row.on_time.impressions == late[0].impressions


def _changed(one: AdMetric, kind: DeltaKind, sign: int = 1) -> AdMetric:
    """The same figures, or the opposite ones, as another kind of delta."""
    return dataclasses.replace(
        one,
        kind=kind,
        impressions=sign * one.impressions,
        clicks=sign * one.clicks,
        conversions=sign * one.conversions,
        cost_micros=sign * one.cost_micros,
        revenue_micros=sign * one.revenue_micros,
    )
