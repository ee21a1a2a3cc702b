"""`cache-writer`: metrics into PostgreSQL and Redis, against the rate of the stream.

The stream reads a backlog as fast as it can, which is its highest rate of deltas; then the
cache-writer reads the same deltas from the beginning. A live stream makes far fewer: its rate is
shown too, for a stream at a given rate of events.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import structlog

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.cpu import Usage, measured
from roas_bench.different import DifferentResultsError
from roas_bench.flink_jobs import run_stream
from roas_bench.ratios import Spread, ratio
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.traffic import generate
from roas_bench.window_sums import MEASURES, Window, ends, read_sums, values
from roas_contracts.errors import TransientError
from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M
from roas_contracts.registry import SchemaSource
from roas_local.components import ManagedProcess

LEAST_RATIO: Final = 10.0
LIVE_EVENTS_PER_SECOND: Final = 20_000
_SIZES: Final = {AD_METRICS_1M: "1m", AD_METRICS_5M: "5m"}
_JOB_SECONDS: Final = 1_800.0
_POLL_SECONDS: Final = 0.1

log = structlog.get_logger("roas_bench.cache_writer")


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass of the cache-writer over all deltas."""

    seconds: float
    writer: Usage
    postgres_cpu: float
    redis_cpu: float


def cache_writer(rows: int, repeats: int) -> Report:
    """Run the benchmark.

    Args:
        rows: generated impressions behind the deltas.
        repeats: passes over the deltas.

    Raises:
        DifferentResultsError: PostgreSQL does not hold the sums of the deltas.
        TransientError: a server or a job failed.
    """
    with bench_stack("cache-writer", flink=True) as bench:
        events = generate(bench, rows)
        stream = run_stream(bench, _JOB_SECONDS)
        bench.stack.flink.stop()
        deltas, readings = passes(bench, repeats)
    return _report(rows, repeats, events, deltas, stream, readings)


def passes(bench: BenchStack, repeats: int) -> tuple[int, list[Reading]]:
    """Let the cache-writer read all deltas, as often as asked; how many there are.

    Raises:
        DifferentResultsError: PostgreSQL does not hold the sums of the deltas.
        TransientError: the cache-writer did not read everything.
    """
    all_of_them = dict.fromkeys(ends(bench.kafka, _SIZES), 0)
    expected = read_sums(bench.kafka, SchemaSource(bench.registry), _SIZES, all_of_them)
    deltas = sum(1 for _ in values(bench.kafka, all_of_them))
    readings = []
    for number in range(repeats):
        _forget(bench)
        readings.append(_read(bench))
        require_stored(bench.stack.postgres.dsn, expected)
        log.info("pass", number=number + 1, deltas=deltas, reading=readings[-1])
    return deltas, readings


def _forget(bench: BenchStack) -> None:
    with psycopg.connect(bench.stack.postgres.dsn, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE realtime.metrics_1m, realtime.metrics_5m, realtime.freshness, "
            "realtime.consumed_offsets"
        )
        connection.execute("CHECKPOINT")
    bench.stack.redis.stop()
    for file in bench.stack.redis.directory.glob("appendonlydir/*"):
        file.unlink()
    bench.stack.redis.start()


def _read(bench: BenchStack) -> Reading:
    service = next(one for one in bench.stack.services() if one.name == "cache-writer")
    stack, wanted = bench.stack, ends(bench.kafka, _SIZES)
    postgres, redis = stack.postgres.pid, stack.redis.pid
    assert postgres is not None
    assert redis is not None
    service.spawn()
    try:
        pid = service.pid
        assert pid is not None
        with measured(postgres) as of_postgres, measured(redis) as of_redis:
            first = _wait_for(bench, service, dict.fromkeys(wanted, 1), some=True)
            with measured(pid) as of_writer:
                last = _wait_for(bench, service, wanted)
    finally:
        service.stop()
    return Reading(last - first, of_writer, of_postgres.cpu_seconds, of_redis.cpu_seconds)


def _wait_for(
    bench: BenchStack,
    service: ManagedProcess,
    wanted: dict[tuple[str, int], int],
    *,
    some: bool = False,
) -> float:
    """When the consumed offsets reach what is wanted: everywhere, or at least somewhere."""
    deadline = time.monotonic() + _JOB_SECONDS
    enough = any if some else all
    with psycopg.connect(bench.stack.postgres.dsn, autocommit=True) as connection:
        while time.monotonic() < deadline and service.running:
            rows: dict[Any, int] = {
                (topic, number): offset
                for topic, number, offset in connection.execute(
                    "SELECT topic, partition, next_offset FROM realtime.consumed_offsets"
                )
            }
            if enough(rows.get(place, 0) >= offset for place, offset in wanted.items()):
                return time.monotonic()
            time.sleep(_POLL_SECONDS)
    raise TransientError("the cache-writer ended, or did not read everything in time")


def require_stored(dsn: str, expected: dict[Window, list[int]]) -> None:
    """PostgreSQL has every window and its sums, and no other.

    Raises:
        DifferentResultsError: names the first difference.
    """
    stored: dict[Window, list[int]] = {}
    sums = ", ".join(
        f"on_time_{measure} + late_{measure} + correction_{measure}" for measure in MEASURES
    )
    with psycopg.connect(dsn) as connection:
        for size in ("1m", "5m"):
            query = (
                "SELECT (extract(epoch FROM window_start) * 1000)::bigint, dimension, value, "
                f"{sums} FROM realtime.metrics_{size}"
            )
            for row in connection.execute(query):
                stored[size, row[0], row[1], row[2]] = list(row[3:])
    for window in sorted(expected.keys() | stored.keys()):
        if expected.get(window) != stored.get(window):
            raise DifferentResultsError(
                f"{' '.join(map(str, window))} ({', '.join(MEASURES)}): {expected.get(window)} in "
                f"Kafka, {stored.get(window)} in PostgreSQL"
            )


def _report(
    rows: int, repeats: int, events: int, deltas: int, stream: Usage, readings: list[Reading]
) -> Report:
    written = [deltas / reading.seconds for reading in readings]
    made = deltas / stream.wall_seconds
    against_backlog = ratio(written, [made] * len(written))
    live = deltas / events * LIVE_EVENTS_PER_SECOND
    against_live = ratio(written, [live] * len(written))

    def micros(seconds: list[float]) -> str:
        return str(Spread(tuple(s / deltas * 1e6 for s in seconds)))

    return Report(
        name="cache-writer",
        title="Benchmark: the cache-writer against the stream",
        command=f"./roas bench cache-writer --rows {rows} --repeats {repeats}",
        figures=[
            Figure(
                "deltas/s written / deltas/s made by the stream at full speed over a backlog",
                str(against_backlog),
                Goal(f"at least {LEAST_RATIO:g}", against_backlog.median >= LEAST_RATIO),
            ),
            Figure(
                f"deltas/s written / deltas/s of {LIVE_EVENTS_PER_SECOND:,} events/s",
                str(against_live),
            ),
        ],
        details={
            "deltas": deltas,
            "events": events,
            "stream_deltas_per_second": made,
            "written_per_second": written,
        },
        notes=[
            f"{deltas:,} deltas of {events:,} events at Avazu's density (2,800 rows a minute); the "
            "more events a minute has, the fewer deltas come per event.",
            table(
                ["", "per delta"],
                [
                    ["wall", f"{micros([r.seconds for r in readings])} µs"],
                    ["cache-writer CPU", f"{micros([r.writer.cpu_seconds for r in readings])} µs"],
                    ["PostgreSQL CPU", f"{micros([r.postgres_cpu for r in readings])} µs"],
                    ["Redis CPU", f"{micros([r.redis_cpu for r in readings])} µs"],
                ],
            ),
        ],
    )
