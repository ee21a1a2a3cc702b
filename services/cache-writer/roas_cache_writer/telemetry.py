"""What the cache-writer shows of itself: Prometheus metrics and readiness."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from roas_cache_writer.batch import Batch
from roas_cache_writer.stored_rows import StoredRow
from roas_contracts.consuming.positions import TopicPartition
from roas_contracts.redis_layout import WindowSize
from roas_contracts.service.health import Readiness

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)


@dataclass(slots=True)
class Status:
    """What readiness depends on. Written by the writer's thread, read by the health server's."""

    assigned: bool = False
    """Partitions are assigned, from PostgreSQL's offsets."""
    kafka: bool = False
    """Kafka answered when it was asked last."""
    postgres: bool = False
    """The last thing asked of PostgreSQL worked."""
    redis_warm: bool = False
    """Redis holds everything PostgreSQL has of the windows that are kept."""
    waiting_for: str | None = None
    """What the writer is waiting for, for a person."""
    lag_records: int | None = None
    """Records behind the end of the topics."""
    last_write: float | None = None
    """When PostgreSQL was written last, seconds since 1970."""

    def readiness(self) -> Readiness:
        """Ready when every delta read is counted and readable in both stores."""
        since = None if self.last_write is None else round(time.time() - self.last_write, 3)
        return Readiness(
            self.assigned and self.kafka and self.postgres and self.redis_warm,
            {
                "assigned": self.assigned,
                "kafka": self.kafka,
                "postgres": self.postgres,
                "redis_warm": self.redis_warm,
                "waiting_for": self.waiting_for,
                "lag_records": self.lag_records,
                "seconds_since_last_write": since,
            },
        )


@dataclass(slots=True)
class Telemetry:
    """The Prometheus metrics, and the status they share their facts with."""

    registry: CollectorRegistry = REGISTRY
    status: Status = field(default_factory=Status)
    records: Counter = field(init=False)
    rows: Counter = field(init=False)
    batches: Counter = field(init=False)
    steps: Histogram = field(init=False)
    emit_to_redis: Histogram = field(init=False)
    lag: Gauge = field(init=False)
    warms: Counter = field(init=False)

    def __post_init__(self) -> None:
        prefix, registry = "roas_cache_writer_", self.registry
        self.records = Counter(
            f"{prefix}records",
            "Records that were committed, by what became of them.",
            ("topic", "outcome"),
            registry=registry,
        )
        self.rows = Counter(
            f"{prefix}rows", "Rows changed in PostgreSQL.", ("window",), registry=registry
        )
        self.batches = Counter(
            f"{prefix}batches", "Transactions committed in PostgreSQL.", registry=registry
        )
        self.steps = Histogram(
            f"{prefix}step_seconds",
            "Time a batch takes in each step.",
            ("step",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.emit_to_redis = Histogram(
            f"{prefix}emit_to_redis_seconds",
            "From a delta's emission by ctr-stream to its row being readable in Redis.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.lag = Gauge(
            f"{prefix}lag_records",
            "Records between the counted offset and the end of the partition.",
            ("topic", "partition"),
            registry=registry,
        )
        self.warms = Counter(
            f"{prefix}warms", "Times Redis was brought in line with PostgreSQL.", registry=registry
        )
        status = self.status
        Gauge(
            f"{prefix}seconds_since_last_write",
            "Since PostgreSQL was written last; NaN before the first write.",
            registry=registry,
        ).set_function(
            lambda: float("nan") if status.last_write is None else time.time() - status.last_write
        )
        Gauge(f"{prefix}ready", "1 when /readyz says so.", registry=registry).set_function(
            lambda: float(status.readiness().ready)
        )

    def committed(self, batch: Batch) -> None:
        """A batch is in PostgreSQL."""
        self.status.last_write = time.time()
        self.batches.inc()
        for (topic, _), progress in batch.progress.items():
            for outcome in ("applied", "dead_lettered", "skipped"):
                if count := getattr(progress, outcome):
                    self.records.labels(topic, outcome).inc(count)
        for size, fold in batch.folds.items():
            self.rows.labels(size.value).inc(len(fold.sums()))

    def cached(self, changed: Mapping[WindowSize, list[StoredRow]]) -> None:
        """Rows are readable in Redis."""
        now_ms = time.time() * 1000
        for emitted_at in {row.last_emitted_at for rows in changed.values() for row in rows}:
            self.emit_to_redis.observe(max(0.0, now_ms - emitted_at) / 1000)

    def position(
        self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> None:
        """How far behind the ends the positions are."""
        total = 0
        for (topic, partition), end in ends.items():
            behind = max(0, end - positions.get((topic, partition), 0))
            self.lag.labels(topic, str(partition)).set(behind)
            total += behind
        self.status.lag_records = total
