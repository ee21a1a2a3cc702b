"""`growth`: events per CPU second and memory against partitions, dimension values, parallelism.

One thing changes at a time, from the same middle. Absolute figures depend on the machine: what is
reported is the ratio to the middle, measured in the same run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import structlog
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.cpu import FIXED_COMPILERS, Usage
from roas_bench.different import DifferentResultsError
from roas_bench.flink_jobs import run_stream
from roas_bench.report import Figure, Report, table
from roas_bench.window_sums import ends, read_sums
from roas_contracts.codec import Codec
from roas_contracts.errors import TransientError
from roas_contracts.events import (
    AD_IMPRESSIONS,
    AD_METRICS_1M,
    AD_METRICS_5M,
    AdImpression,
    PlacementType,
    Source,
)
from roas_contracts.registry import Registry, SchemaSource

START_MS: Final = 1_413_763_200_000  # A day before the generator begins.
MINUTES: Final = 30
"""All events lie in so many windows: the more values, the more rows a window has."""

_JOB_SECONDS: Final = 1_800.0
_SIZES: Final = {AD_METRICS_1M: "1m", AD_METRICS_5M: "5m"}
_FLINK: Final[Mapping[str, object]] = {
    "taskmanager.memory.process.size": "3072m",
    "env.java.opts.taskmanager": FIXED_COMPILERS,
}

log = structlog.get_logger("roas_bench.growth")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is varied."""

    values: int = 1_000
    """Distinct campaigns."""
    partitions: int = 4
    parallelism: int = 2


MIDDLE: Final = Setting()
SETTINGS: Final = (
    MIDDLE,
    *(replace(MIDDLE, values=values) for values in (100, 10_000, 100_000)),
    *(replace(MIDDLE, partitions=partitions) for partitions in (8, 16)),
    replace(MIDDLE, parallelism=1),
)


@dataclass(frozen=True, slots=True)
class Grown:
    """One setting, measured."""

    setting: Setting
    usages: list[Usage]
    deltas: int

    @property
    def cpu(self) -> float:
        """Median CPU seconds without compiling."""
        return median(usage.cpu_seconds - usage.compiler_seconds for usage in self.usages)

    @property
    def wall(self) -> float:
        """Median wall-clock seconds."""
        return median(usage.wall_seconds for usage in self.usages)

    @property
    def peak(self) -> int:
        """Largest resident memory."""
        return max(usage.peak_bytes for usage in self.usages)


def growth(events: int, repeats: int, settings: tuple[Setting, ...] = SETTINGS) -> Report:
    """Run the benchmark.

    Args:
        events: impressions in each run.
        repeats: runs of each setting, after one that warms the TaskManager up.
        settings: what is measured; the first is what the others are compared with.

    Raises:
        DifferentResultsError: an event was not counted.
        TransientError: a server or a job failed.
    """
    grown = []
    for setting in settings:
        with bench_stack("growth", flink=True, flink_settings=_FLINK) as bench:
            grown.append(grow(bench, setting, events, repeats))
        log.info("setting", setting=setting, cpu=grown[-1].cpu, peak=grown[-1].peak)
    return _report(events, repeats, grown)


def grow(bench: BenchStack, setting: Setting, events: int, repeats: int) -> Grown:
    """Measure one setting on a stack without events. Raises as `growth`."""
    _add_partitions(bench, setting.partitions)
    _send(bench, events, setting.values)
    usages: list[Usage] = []
    deltas = 0
    for _ in range(repeats + 1):
        before = ends(bench.kafka, _SIZES)
        usages.append(run_stream(bench, _JOB_SECONDS, PARALLELISM=str(setting.parallelism)))
        sums = read_sums(bench.kafka, SchemaSource(bench.registry), _SIZES, before)
        deltas = len(sums)
        counted = sum(s[0] for w, s in sums.items() if w[0] == "1m" and w[2] == "total")
        if counted != events:
            raise DifferentResultsError(f"{counted} events are counted, {events} were sent")
    return Grown(setting, usages[1:] or usages, deltas)


def _add_partitions(bench: BenchStack, count: int) -> None:
    admin = AdminClient({"bootstrap.servers": bench.kafka})
    now = len(admin.list_topics(AD_IMPRESSIONS, timeout=10).topics[AD_IMPRESSIONS].partitions)
    if count > now:
        for future in admin.create_partitions([NewPartitions(AD_IMPRESSIONS, count)]).values():
            future.result(30)


def _send(bench: BenchStack, events: int, values: int) -> None:
    registry = Registry(bench.registry)
    codec = Codec.for_topic(AD_IMPRESSIONS, registry.schema_id(AD_IMPRESSIONS))
    registry.close()
    producer = Producer(
        {
            "bootstrap.servers": bench.kafka,
            "compression.type": "lz4",
            "linger.ms": 20,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for event in _impressions(events, values):
        while True:
            try:
                producer.produce(AD_IMPRESSIONS, codec.encode(event), event.event_id)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(120):
        raise TransientError("not every event could be sent")


def _impressions(count: int, values: int) -> Iterator[AdImpression]:
    """In event-time order; campaigns come round in turn, so that each window has many of them."""
    for number in range(count):
        yield AdImpression(
            event_id=f"{number:019d}",
            event_time=START_MS + number * MINUTES * 60_000 // count,
            labelled=True,
            source=Source.GENERATED,
            campaign_id=f"{number * 7_919 % values:08x}",
            advertiser_id="a",
            creative_id="c",
            placement_type=PlacementType.SITE,
            placement_id="85f751fd",
            placement_domain="c4e18dd6",
            placement_category="50e219e0",
            banner_pos=number % 3,
            device_type=1,
            connection_type=0,
            cost_micros=1_000,
            currency="USD",
        )


def _report(events: int, repeats: int, grown: list[Grown]) -> Report:
    middle = grown[0]
    rows = [
        [
            f"{g.setting.values:,}",
            str(g.setting.partitions),
            str(g.setting.parallelism),
            f"{g.deltas:,}",
            f"{middle.cpu / g.cpu:.2f}",
            f"{middle.wall / g.wall:.2f}",
            f"{g.peak / middle.peak:.2f}",
        ]
        for g in grown
    ]
    header = [
        *("values", "partitions", "parallelism", "rows written"),
        *("events per CPU second", "events per second", "memory"),
    ]
    return Report(
        name="growth",
        title="Benchmark: what more partitions, values and cores cost",
        command=f"./roas bench growth --events {events} --repeats {repeats}",
        figures=[
            Figure("CPU µs per event in the middle", f"{middle.cpu / events * 1e6:.2f}"),
            Figure("peak memory of the TaskManager there", f"{middle.peak / 2**20:,.0f} MiB"),
        ],
        details={
            "runs": [
                {
                    "values": g.setting.values,
                    "partitions": g.setting.partitions,
                    "parallelism": g.setting.parallelism,
                    "rows": g.deltas,
                    "cpu_seconds": g.cpu,
                    "wall_seconds": g.wall,
                    "peak_bytes": g.peak,
                }
                for g in grown
            ]
        },
        notes=[
            f"{events:,} impressions in {MINUTES} minutes of event time. Ratios to the first line.",
            table(header, rows),
        ],
    )
