"""`poison`: the stream over events with one percent of poison against the same events without.

The events of one broker are copied to another, with poison strewn in. Both are read by the same
TaskManager in turn; every good event must be counted and every poison record be a dead letter.
"""

import subprocess
from typing import Final

import structlog

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.cpu import Usage
from roas_bench.different import DifferentResultsError
from roas_bench.flink_jobs import run_stream
from roas_bench.ratios import Spread, alternating, ratio
from roas_bench.report import Figure, Goal, Report, table
from roas_bench.stream import FLINK_SETTINGS
from roas_bench.traffic import copy, generate
from roas_bench.window_sums import Window, ends, read_sums, values
from roas_contracts.errors import TransientError
from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M, DEAD_LETTERS
from roas_contracts.registry import SchemaSource
from roas_local.components import KafkaBroker

SHARE: Final = 0.01
LEAST_RATIO: Final = 0.95
_SIZES: Final = {AD_METRICS_1M: "1m", AD_METRICS_5M: "5m"}
_JOB_SECONDS: Final = 1_800.0
_CLEAN, _POISONED = 0, 1

log = structlog.get_logger("roas_bench.poison")


def poison(rows: int, repeats: int) -> Report:
    """Run the benchmark.

    Args:
        rows: generated impressions; their clicks and conversions come on top.
        repeats: pairs that are measured, after a pair that warms the TaskManager up.

    Raises:
        DifferentResultsError: an event or a dead letter is missing or doubled.
        TransientError: a server or a job failed.
    """
    with bench_stack("poison", flink=True, flink_settings=FLINK_SETTINGS) as bench:
        events = generate(bench, rows)
        with KafkaBroker(bench.stack.folders.data / "kafka-poison") as broker:
            create_topics(bench, broker.bootstrap)
            poisoned = copy(bench.kafka, broker.bootstrap, SHARE)
            pairs = []
            for order in [(_CLEAN, _POISONED), *alternating(repeats)]:
                pairs.append(compared(bench, broker.bootstrap, order, poisoned))
                log.info("pair", events=events, poisoned=poisoned, used=pairs[-1])
    return _report(rows, repeats, events, poisoned, pairs[1:])


def compared(
    bench: BenchStack, poisoned_kafka: str, order: tuple[int, int], poisoned: int
) -> tuple[Usage, Usage]:
    """Run the stream over both brokers; what it used without poison and with it.

    Raises:
        DifferentResultsError: an event or a dead letter is missing or doubled.
    """
    usages: dict[int, Usage] = {}
    sums: dict[int, dict[Window, list[int]]] = {}
    for which in order:
        kafka = (bench.kafka, poisoned_kafka)[which]
        before = ends(kafka, [*_SIZES, DEAD_LETTERS])
        usages[which] = run_stream(bench, _JOB_SECONDS, KAFKA_BOOTSTRAP=kafka)
        of_metrics = {place: at for place, at in before.items() if place[0] in _SIZES}
        of_letters = {place: at for place, at in before.items() if place[0] not in _SIZES}
        sums[which] = read_sums(kafka, SchemaSource(bench.registry), _SIZES, of_metrics)
        letters = sum(1 for _ in values(kafka, of_letters))
        if letters != (0, poisoned)[which]:
            raise DifferentResultsError(
                f"{letters} dead letters, {(0, poisoned)[which]} poison records"
            )
    if sums[_CLEAN] != sums[_POISONED]:
        raise DifferentResultsError("the sums differ with and without poison")
    return usages[_CLEAN], usages[_POISONED]


def create_topics(bench: BenchStack, bootstrap: str) -> None:
    """Our topics on another broker. Raises TransientError."""
    done = subprocess.run(
        [
            bench.tools.environment("services"),
            *("-m", "roas_contracts", "topics", "--replication", "1"),
        ],
        env={**bench.environment(), "ROAS_CONTRACTS_KAFKA_BOOTSTRAP": bootstrap},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode != 0:
        raise TransientError(f"the topics could not be created: {done.stderr.strip()}")


def _report(
    rows: int, repeats: int, events: int, poisoned: int, pairs: list[tuple[Usage, Usage]]
) -> Report:
    cost = [[u.cpu_seconds - u.compiler_seconds for u in pair] for pair in pairs]
    share = ratio([clean for clean, _ in cost], [dirty for _, dirty in cost])
    names = ("without poison", "with poison")
    return Report(
        name="poison",
        title="Benchmark: the stream with one percent of poison",
        command=f"./roas bench poison --rows {rows} --repeats {repeats}",
        figures=[
            Figure(
                "good events per CPU second of the TaskManager, with poison / without",
                str(share),
                Goal(f"at least {LEAST_RATIO:g}", share.median >= LEAST_RATIO),
            )
        ],
        details={"events": events, "poisoned": poisoned, "ratio": share.as_dict()},
        notes=[
            f"{events:,} events, {poisoned:,} poison records, each a dead letter in every run. "
            "Without the JVM's compiling of the job.",
            table(
                ["", "CPU µs per good event"],
                [
                    [name, str(Spread(tuple(pair[at] / events * 1e6 for pair in cost)))]
                    for at, name in enumerate(names)
                ],
            ),
        ],
    )
