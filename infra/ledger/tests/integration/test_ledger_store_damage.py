"""Damage in PostgreSQL and Redis: each turns the ledger red and is named with its place."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from ledger_runs import assert_named, run, sentences
from planted_pipeline import PlantedPipeline
from planted_run import T0

from roas_contracts.redis_layout import Measures, RedisMetricsReader, WindowSize, window_key


def test_a_finished_run_is_exact(planted: PlantedPipeline) -> None:
    report = run(planted)
    assert report.exact, sentences(report)
    assert report.horizon.watermark == "2014-10-21T00:15:55Z"
    impressions, clicks, conversions = report.topics
    assert (impressions.on_time, impressions.late, impressions.dead) == (57, 3, 1)
    assert (impressions.heartbeats, impressions.missing) == (4, 0)
    assert (clicks.on_time, clicks.dead, clicks.skipped, clicks.heartbeats) == (13, 2, 1, 2)
    assert (conversions.on_time, conversions.dead) == (7, 1)
    assert {line.impressions for line in report.totals} == {60}
    assert {line.lineage for line in report.totals} == {
        "events in Kafka",
        "metrics topics",
        "PostgreSQL",
        "Redis",
    }
    assert all(line.compared for line in report.comparisons)
    assert all(line.behind == 0 for line in report.consumers)
    assert report.latency is not None
    assert report.latency.close_to_redis is not None
    assert report.latency.close_to_redis.p50 == 700
    assert report.latency.sent_to_redis is not None


def damage_table(planted: PlantedPipeline, statement: str) -> None:
    with psycopg.connect(planted.servers.dsn) as connection:
        assert connection.execute(statement).rowcount == 1


ONE_ROW = "window_start = '2014-10-21T00:03:00Z' AND dimension = 'campaign' AND value = 'c1'"


def test_a_deleted_metrics_row_is_named(planted: PlantedPipeline) -> None:
    damage_table(planted, f"DELETE FROM realtime.metrics_1m WHERE {ONE_ROW}")
    report = run(planted)
    where = "realtime.metrics_1m 1m window 2014-10-21T00:03:00Z campaign=c1 impressions"
    assert_named(report, where, "events in Kafka says 2, PostgreSQL says 0", "no such row")
    assert_named(report, where.replace("impressions", "on_time_impressions"), "metrics topics")
    assert {difference.value for difference in report.differences} == {"c1"}


def test_a_doubled_metrics_row_is_named(planted: PlantedPipeline) -> None:
    damage_table(
        planted,
        "UPDATE realtime.metrics_5m SET on_time_impressions = on_time_impressions * 2"
        " WHERE window_start = '2014-10-21T00:05:00Z' AND dimension = 'total'",
    )
    report = run(planted)
    where = "realtime.metrics_5m 5m window 2014-10-21T00:05:00Z total=all impressions"
    assert_named(report, where, "events in Kafka says 21, PostgreSQL says 42")
    assert all(difference.size == "5m" for difference in report.differences)


def test_a_doubled_total_breaks_the_balance(planted: PlantedPipeline) -> None:
    damage_table(
        planted,
        "UPDATE realtime.metrics_1m SET on_time_impressions = on_time_impressions * 2"
        " WHERE window_start = '2014-10-21T00:03:00Z' AND dimension = 'total'",
    )
    report = run(planted)
    assert_named(report, "ad-impressions", "5 more were counted than were committed")
    assert report.topics[0].missing == -5


def test_a_row_moved_to_another_minute_is_named_at_both_places(planted: PlantedPipeline) -> None:
    moved = "UPDATE realtime.metrics_1m SET window_start = '2014-10-21T00:13:00Z'"
    with psycopg.connect(planted.servers.dsn) as connection:
        connection.execute(
            "DELETE FROM realtime.metrics_1m WHERE window_start = '2014-10-21T00:13:00Z'"
            " AND dimension = 'campaign' AND value = 'c1'"
        )
    before = run(planted)
    damage_table(planted, f"{moved} WHERE {ONE_ROW}")
    report = run(planted)
    assert_named(report, "window 2014-10-21T00:03:00Z campaign=c1 impressions", "says 0")
    here = "window 2014-10-21T00:13:00Z campaign=c1"
    assert here in sentences(before)
    assert sentences(before) != sentences(report)


def test_a_changed_redis_value_is_named(planted: PlantedPipeline) -> None:
    reader = RedisMetricsReader.connect(planted.servers.redis_url)
    start = T0 + 3 * 60_000
    row = reader.window(WindowSize.ONE_MINUTE, "placement", start)["site:s2"]
    reader.close()
    planted.stores.set_cached(replace(row, totals=row.totals + Measures(clicks=1)))
    report = run(planted)
    key = window_key(WindowSize.ONE_MINUTE, "placement", start)
    assert_named(report, f"Redis {key}", "placement=site:s2 clicks", "Redis says")
    assert len(report.differences) == 1


def test_a_lost_redis_window_is_named(planted: PlantedPipeline) -> None:
    start = T0 + 5 * 60_000
    key = window_key(WindowSize.FIVE_MINUTES, "campaign", start)
    assert planted.stores.redis.delete(key) == 1
    report = run(planted)
    assert_named(report, f"Redis {key} 5m window", "campaign=c0 impressions", "no such row")


def test_offsets_of_another_cluster_are_named(planted: PlantedPipeline) -> None:
    damage_table(
        planted,
        "UPDATE realtime.consumed_offsets SET cluster_id = 'other'"
        " WHERE topic = 'ad-metrics-1m' AND partition = 0",
    )
    report = run(planted)
    assert_named(report, "realtime.consumed_offsets ad-metrics-1m/0", "another cluster")


def test_a_lasting_difference_is_not_waited_out(planted: PlantedPipeline) -> None:
    damage_table(planted, f"DELETE FROM realtime.metrics_1m WHERE {ONE_ROW}")
    began = time.monotonic()
    report = run(planted, wait=120)
    assert not report.exact
    assert time.monotonic() - began < 60


def command(
    planted: PlantedPipeline, *options: str, replaced: tuple[str, str] | None = None
) -> tuple[int, str, str]:
    servers = planted.servers
    environment = os.environ | {
        "ROAS_LEDGER_KAFKA_BOOTSTRAP": servers.bootstrap,
        "ROAS_LEDGER_REGISTRY_URL": servers.registry_url,
        "ROAS_LEDGER_POSTGRES_DSN": servers.dsn,
        "ROAS_LEDGER_REDIS_URL": servers.redis_url,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    if replaced is not None:
        environment[replaced[0]] = replaced[1]
    done = subprocess.run(
        [sys.executable, "-m", "roas_ledger", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_line(planted: PlantedPipeline) -> None:
    code, out, err = command(planted)
    assert code == 0, err
    assert "the ledger is exact" in out

    damage_table(planted, f"DELETE FROM realtime.metrics_1m WHERE {ONE_ROW}")
    code, out, _ = command(planted, "--wait", "0")
    assert code == 1
    assert "DIFFERS" in out
    assert "campaign=c1" in out

    code, out, _ = command(planted, "--wait", "0", "--json")
    report: dict[str, Any] = json.loads(out)
    assert code == 1
    assert report["verdict"] == "differs"
    assert report["differences"][0] == {
        "check": "windows",
        "expected_from": "events in Kafka",
        "got_from": "PostgreSQL",
        "place": "PostgreSQL realtime.metrics_1m",
        "expected": 2,
        "got": 0,
        "size": "1m",
        "window_start": "2014-10-21T00:03:00Z",
        "dimension": "campaign",
        "value": "c1",
        "measure": "impressions",
        "detail": "no such row",
    }


@pytest.mark.parametrize(
    ("variable", "address", "told"),
    [
        ("ROAS_LEDGER_KAFKA_BOOTSTRAP", "127.0.0.1:{port}", "Kafka at 127.0.0.1"),
        ("ROAS_LEDGER_POSTGRES_DSN", "postgresql://u:p@127.0.0.1:{port}/roas", "PostgreSQL"),
        ("ROAS_LEDGER_REDIS_URL", "redis://127.0.0.1:{port}/0", "Redis does not answer"),
    ],
)
def test_what_does_not_answer_is_said_in_one_sentence(
    planter: PlantedPipeline,
    variable: str,
    address: str,
    told: str,
) -> None:
    with socket.socket() as taken:  # Bound but not listening: nobody answers, nobody else gets it.
        taken.bind(("127.0.0.1", 0))
        gone = address.format(port=taken.getsockname()[1])
        code, out, err = command(planter, replaced=(variable, gone))
    assert (code, out) == (3, "")
    assert told in err
    assert "Traceback" not in err
