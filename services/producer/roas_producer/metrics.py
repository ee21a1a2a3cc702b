"""What Prometheus sees of a run."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from roas_producer.pipeline import TOPIC_OF


class ProducerMetrics:
    """Counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        events = Counter(
            "roas_producer_events",
            "Events committed, by topic",
            ["topic"],
            registry=self.registry,
        )
        self.events = {kind: events.labels(topic) for kind, topic in TOPIC_OF.items()}
        self.dead_letters = Counter(
            "roas_producer_dead_letters",
            "Rows that became dead letters, by reason",
            ["reason"],
            registry=self.registry,
        )
        self.transactions = Counter(
            "roas_producer_transactions", "Transactions committed", registry=self.registry
        )
        self.heartbeats = Counter(
            "roas_producer_heartbeats", "Heartbeat records committed", registry=self.registry
        )
        self.commit_seconds = Histogram(
            "roas_producer_commit_seconds",
            "How long commits take",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=self.registry,
        )
        self.event_clock = Gauge(
            "roas_producer_event_clock_seconds",
            "Event time up to which everything is committed",
            registry=self.registry,
        )
