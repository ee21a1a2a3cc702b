"""What the dlq-handler shows of itself: Prometheus metrics and readiness."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from roas_contracts.consuming.positions import TopicPartition
from roas_contracts.service.health import Readiness
from roas_dlq_handler.intake import Batch
from roas_dlq_handler.store import Unresolved


@dataclass(slots=True)
class Status:
    """What readiness depends on. Written by the keeper's thread, read by the health server's."""

    assigned: bool = False
    """Partitions are assigned, from PostgreSQL's offsets."""
    kafka: bool = False
    """Kafka answered when it was asked last."""
    postgres: bool = False
    """The last thing asked of PostgreSQL worked."""
    waiting_for: str | None = None
    """What the keeper is waiting for, for a person."""
    lag_records: int | None = None
    """Records behind the end of the topics."""

    def readiness(self) -> Readiness:
        """Ready when every dead letter read is stored."""
        return Readiness(
            self.assigned and self.kafka and self.postgres,
            {
                "assigned": self.assigned,
                "kafka": self.kafka,
                "postgres": self.postgres,
                "waiting_for": self.waiting_for,
                "lag_records": self.lag_records,
            },
        )


@dataclass(slots=True)
class Telemetry:
    """The Prometheus metrics, and the status they share their facts with."""

    registry: CollectorRegistry = REGISTRY
    status: Status = field(default_factory=Status)
    letters: Counter = field(init=False)
    actions: Counter = field(init=False)
    unresolved: Gauge = field(init=False)
    lag: Gauge = field(init=False)
    _oldest: float | None = None

    def __post_init__(self) -> None:
        prefix, registry = "roas_dlq_handler_", self.registry
        self.letters = Counter(
            f"{prefix}dead_letters",
            "Dead letters that were stored (one reported again counts again).",
            ("reason", "service"),
            registry=registry,
        )
        self.actions = Counter(
            f"{prefix}actions", "Actions that were stored.", ("action",), registry=registry
        )
        self.unresolved = Gauge(
            f"{prefix}unresolved",
            "Dead letters that wait for somebody.",
            ("reason", "topic", "state"),
            registry=registry,
        )
        self.lag = Gauge(
            f"{prefix}lag_records",
            "Records between the stored offset and the end of the partition.",
            ("topic", "partition"),
            registry=registry,
        )
        Gauge(
            f"{prefix}oldest_unresolved_age_seconds",
            "Since the oldest unresolved dead letter failed first; 0 when there is none.",
            registry=registry,
        ).set_function(
            lambda: 0.0 if self._oldest is None else max(0.0, time.time() - self._oldest)
        )
        Gauge(f"{prefix}ready", "1 when /readyz says so.", registry=registry).set_function(
            lambda: float(self.status.readiness().ready)
        )

    def committed(self, batch: Batch) -> None:
        """A batch is in PostgreSQL."""
        for stored in batch.letters.values():
            one = stored.letter
            self.letters.labels(one.reason, one.service).inc(stored.deliveries)
        for action in batch.actions:
            self.actions.labels(action.action).inc()

    def waiting(self, unresolved: Iterable[Unresolved], oldest: datetime | None) -> None:
        """What PostgreSQL says is unresolved."""
        self.unresolved.clear()
        for one in unresolved:
            self.unresolved.labels(one.reason, one.topic, one.state).set(one.count)
        self._oldest = None if oldest is None else oldest.timestamp()

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
