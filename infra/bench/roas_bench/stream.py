"""`stream`: our job against the same windows in plain Flink SQL, per CPU second.

Both read the same topics from first to last and write every window to Kafka exactly once. What
they wrote is added up and must be equal, in every run, or no figure is reported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.cpu import FIXED_COMPILERS, Usage
from roas_bench.different import DifferentResultsError
from roas_bench.flink_jobs import run_plain_sql, run_stream
from roas_bench.plain_sql import TOPIC_1M, TOPIC_5M
from roas_bench.profile import Profile, profiled
from roas_bench.ratios import Spread, alternating, ratio
from roas_bench.raw_read import Limit, raw_read
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.traffic import generate
from roas_bench.window_sums import MEASURES, Window, ends, read_sums
from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M
from roas_contracts.registry import SchemaSource

LEAST_RATIO: Final = 2.0
FLINK_SETTINGS: Final[Mapping[str, object]] = {
    # SQL windows need managed memory; both jobs run on the same TaskManager.
    "taskmanager.memory.process.size": "3072m",
    "taskmanager.memory.managed.size": "512m",
    "env.java.opts.taskmanager": FIXED_COMPILERS,
}
_JOB_SECONDS: Final = 1_800.0
_SHOWN: Final = 25
_PARTS: Final = (
    "KafkaPartitionSplitReader.fetch",
    "AdEventDeserializer.deserialize",
    "WindowPreAggregation.processElement",
    "WindowPreAggregation.flushUpTo",
    "WindowTotals.processElement",
    "WindowTotals.onTimer",
    "KafkaWriter.write",
    "Sender.run",
    "SourceOperatorStreamTask$AsyncDataOutputToOutput.emitRecord",
    "TimestampsAndWatermarks",
    "RecordWriter",
    "StreamTaskNetworkInput",
    "snapshotState",
)

log = structlog.get_logger("roas_bench.stream")


@dataclass(frozen=True, slots=True)
class Contender:
    """One of the two jobs."""

    name: str
    run: Callable[[BenchStack, float], Usage]
    sizes: Mapping[str, str]
    """Its output topics, and the size of their windows."""


OURS: Final = Contender("ctr-stream", run_stream, {AD_METRICS_1M: "1m", AD_METRICS_5M: "5m"})
SQL: Final = Contender("plain SQL", run_plain_sql, {TOPIC_1M: "1m", TOPIC_5M: "5m"})


def stream(rows: int, repeats: int, *, with_profile: bool = False) -> Report:
    """Run the benchmark.

    Args:
        rows: generated impressions; their clicks and conversions come on top.
        repeats: pairs that are measured, after a pair that warms the TaskManager up.
        with_profile: run our job once more and say where its CPU time goes.

    Raises:
        DifferentResultsError: the two jobs did not write the same sums.
        TransientError: a server or a job failed.
    """
    with bench_stack("stream", flink=True, flink_settings=FLINK_SETTINGS) as bench:
        create_topics(bench)
        events = generate(bench, rows)
        log.info("events sent", events=events)
        usages = _pairs(bench, events, repeats)
        limit = raw_read(bench, repeats)
        profile = _profile(bench) if with_profile else None
    report = _report(rows, repeats, events, usages, limit)
    if profile is not None:
        report.notes.append(_where_it_goes(profile, events))
    return report


def _profile(bench: BenchStack) -> Profile:
    pid = bench.stack.flink.taskmanager.pid
    assert pid is not None
    with profiled(pid) as profile:
        run_stream(bench, _JOB_SECONDS)
    return profile


def _where_it_goes(profile: Profile, events: int) -> str:
    threads = [
        [name, f"{seconds / events * 1e6:.2f}"] for name, seconds in profile.busiest_threads(_SHOWN)
    ]
    pages = [
        "CPU µs per event by thread, of those alive at the end (the tasks' own have ended):",
        table(["thread", "µs"], threads),
    ]
    if profile.stacks:
        samples = len(profile.stacks)
        parts = [[part, f"{profile.under(part) / samples:.0%}"] for part in _PARTS]
        methods = [[m, f"{n / samples:.1%}"] for m, n in profile.methods().most_common(_SHOWN)]
        pages += [
            f"{samples} samples of Java code, share by part of the job (parts may hold others):",
            table(["under", "share"], parts),
            "and by innermost method:",
            table(["method", "share"], methods),
        ]
    return "\n\n".join(pages)


def _pairs(bench: BenchStack, events: int, repeats: int) -> dict[str, list[Usage]]:
    usages: dict[str, list[Usage]] = {OURS.name: [], SQL.name: []}
    for number, order in enumerate([(1, 0), *alternating(repeats)]):
        pair = compared(bench, order, events)
        for name, usage in pair.items():
            log.info(
                "run",
                job=name,
                warm_up=number == 0,
                cpu_us_per_event=round(usage.cpu_seconds / events * 1e6, 2),
                compiling_us_per_event=round(usage.compiler_seconds / events * 1e6, 2),
                seconds=round(usage.wall_seconds, 1),
            )
            if number > 0:
                usages[name].append(usage)
    return usages


def compared(bench: BenchStack, order: tuple[int, int], events: int) -> dict[str, Usage]:
    """Run both jobs, our own (0) and plain SQL (1), over what is in Kafka; what each used.

    Raises:
        DifferentResultsError: they did not write the same sums.
    """
    usages: dict[str, Usage] = {}
    sums: dict[str, dict[Window, list[int]]] = {}
    for place in order:
        contender = (OURS, SQL)[place]
        usages[contender.name], sums[contender.name] = _run(bench, contender)
    require_equal(sums[OURS.name], sums[SQL.name], events)
    return usages


def _run(bench: BenchStack, contender: Contender) -> tuple[Usage, dict[Window, list[int]]]:
    before = ends(bench.kafka, contender.sizes)
    usage = contender.run(bench, _JOB_SECONDS)
    schemas = SchemaSource(bench.registry)
    return usage, read_sums(bench.kafka, schemas, contender.sizes, before)


def require_equal(
    ours: Mapping[Window, list[int]], theirs: Mapping[Window, list[int]], events: int
) -> None:
    """Every window of both, and as many events in them as there are.

    Raises:
        DifferentResultsError: names the first difference.
    """
    for window in sorted(ours.keys() | theirs.keys()):
        if ours.get(window) != theirs.get(window):
            raise DifferentResultsError(
                f"{' '.join(map(str, window))} ({', '.join(MEASURES)}): {ours.get(window)}"
                f" by ctr-stream, {theirs.get(window)} by SQL"
            )
    counted = sum(
        sum(sums[:3]) for window, sums in ours.items() if window[0] == "1m" and window[2] == "total"
    )
    if counted != events:
        raise DifferentResultsError(f"{counted} events are counted, {events} were sent")


def create_topics(bench: BenchStack) -> None:
    """The topics that plain SQL writes to."""
    admin = AdminClient({"bootstrap.servers": bench.kafka})
    for future in admin.create_topics([NewTopic(name, 2, 1) for name in SQL.sizes]).values():
        future.result(30)


def _report(
    rows: int, repeats: int, events: int, usages: Mapping[str, list[Usage]], limit: Limit
) -> Report:
    whole = {name: [usage.cpu_seconds for usage in of] for name, of in usages.items()}
    cost = {
        name: [usage.cpu_seconds - usage.compiler_seconds for usage in of]
        for name, of in usages.items()
    }
    times_better = ratio(cost[SQL.name], cost[OURS.name])
    with_compiling = ratio(whole[SQL.name], whole[OURS.name])
    return Report(
        name="stream",
        title="Benchmark: the stream against plain Flink SQL",
        command=f"./roas bench stream --rows {rows} --repeats {repeats}",
        figures=[
            Figure(
                "events per CPU second of the TaskManager, ctr-stream / plain SQL",
                str(times_better),
                Goal(f"at least {LEAST_RATIO:g}, aim at 3", times_better.median >= LEAST_RATIO),
            ),
            Figure("the same with the JVM's compiling of each job", str(with_compiling)),
            Figure(
                "share of the limit (the same bytes consumed and decoded, no job) / ctr-stream",
                str(ratio(limit.decode, cost[OURS.name])),
            ),
            Figure(
                "the same bytes only consumed / ctr-stream",
                str(ratio(limit.consume, cost[OURS.name])),
            ),
        ],
        details={
            "events": events,
            "ratio": times_better.as_dict(),
            "ratio_with_compiling": with_compiling.as_dict(),
            "limit_us_per_record": {
                "consume": [round(s / limit.records * 1e6, 3) for s in limit.consume],
                "decode": [round(s / limit.records * 1e6, 3) for s in limit.decode],
            },
            "cpu_us_per_event": {
                name: [round(seconds / events * 1e6, 3) for seconds in of]
                for name, of in cost.items()
            },
        },
        notes=[
            "Medians of the pairs' ratios, in brackets the smallest and the largest. A JVM compiles"
            " each job's code anew; that is a cost per start, whatever the number of events, so it"
            " is left out of the first figure.",
            table(
                ["", "CPU µs per event", "of it compiling", "wall s", "peak memory MiB"],
                [
                    [
                        name,
                        str(Spread(tuple(u.cpu_seconds / events * 1e6 for u in of))),
                        str(Spread(tuple(u.compiler_seconds / events * 1e6 for u in of))),
                        str(Spread(tuple(u.wall_seconds for u in of))),
                        f"{max(u.peak_bytes for u in of) / 2**20:.0f}",
                    ]
                    for name, of in usages.items()
                ],
            ),
        ],
    )
