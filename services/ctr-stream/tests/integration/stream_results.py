"""What the stream has written, read as any other consumer would."""

import io
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from confluent_kafka import Consumer, IsolationLevel, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from fastavro import parse_schema, schemaless_reader
from stream_traffic import Measures, Row

from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M, DEAD_LETTERS
from roas_contracts.subjects import load_subject

_MEASURES = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")


@dataclass(slots=True)
class Metrics:
    """The sum of all deltas."""

    rows: dict[Row, Measures] = field(default_factory=dict)
    on_time: Counter[Row] = field(default_factory=Counter)
    """How many ON_TIME deltas there were of each row: never more than one."""
    late_events: int = 0
    """Events that came late, counted in the one-minute totals."""
    keys_wrong: int = 0

    def total(self, length: int) -> Measures:
        """Of every event, in windows of one length."""
        sums = [0, 0, 0, 0, 0]
        for (row_length, _, dimension, _), measures in self.rows.items():
            if row_length == length and dimension == "total":
                sums = [a + b for a, b in zip(sums, measures, strict=True)]
        return sums[0], sums[1], sums[2], sums[3], sums[4]

    def difference(self, expected: dict[Row, Measures]) -> dict[Row, tuple[object, object]]:
        """Rows that are not as expected: (expected, got)."""
        return {
            row: (expected.get(row), self.rows.get(row))
            for row in expected.keys() | self.rows.keys()
            if expected.get(row) != self.rows.get(row)
        }


def read_metrics(bootstrap: str, since: int = 0, until: int = 1 << 62) -> Metrics:
    """Deltas of the windows that start between two times, as committed up to now."""
    metrics = Metrics()
    sums: dict[Row, Counter[str]] = defaultdict(Counter)
    for topic in (AD_METRICS_1M, AD_METRICS_5M):
        for key, delta in read_topic(bootstrap, topic):
            if not since <= delta["window_start"] < until:
                continue
            length = delta["window_end"] - delta["window_start"]
            row = (length, delta["window_start"], delta["dimension"], delta["value"])
            sums[row].update({name: delta[name] for name in _MEASURES})
            metrics.on_time[row] += delta["kind"] == "ON_TIME"
            metrics.keys_wrong += key != f"{delta['dimension']}:{delta['value']}".encode()
            if delta["kind"] == "LATE" and row[0] == 60_000 and delta["dimension"] == "total":
                metrics.late_events += sum(delta[name] for name in _MEASURES[:3])
    metrics.rows = {
        row: (total[_MEASURES[0]], *(total[name] for name in _MEASURES[1:]))  # type: ignore[misc]
        for row, total in sums.items()
    }
    return metrics


def read_dead_letters(bootstrap: str) -> list[dict[str, Any]]:
    """Every committed dead letter."""
    letters = []
    for key, letter in read_topic(bootstrap, DEAD_LETTERS):
        assert key == letter["dead_letter_id"].encode()
        letters.append(letter)
    return letters


def read_topic(bootstrap: str, topic: str) -> list[tuple[bytes, dict[str, Any]]]:
    """Key and value of every committed record; times stay integers."""
    schema = _without_logical_types(load_subject(topic).latest.parsed)
    records: list[tuple[bytes, dict[str, Any]]] = []
    for key, value in _read_values(bootstrap, topic):
        decoded: Any = schemaless_reader(io.BytesIO(value[5:]), schema, None)
        records.append((key, decoded))
    return records


def _read_values(bootstrap: str, topic: str) -> list[tuple[bytes, bytes]]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "test-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 10,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        values: list[tuple[bytes, bytes]] = []
        open_partitions = set(partitions)
        deadline = time.monotonic() + 60
        while open_partitions:
            assert time.monotonic() < deadline, f"{topic} could not be read to its end"
            for message in consumer.consume(5000, timeout=0.5):
                error = message.error()
                key, value = message.key(), message.value()
                if error is None:
                    assert key is not None
                    assert value is not None
                    values.append((key, value))
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
        return values
    finally:
        consumer.close()


def _without_logical_types(schema: Any) -> Any:
    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: strip(value) for name, value in node.items() if name != "logicalType"}
        if isinstance(node, list):
            return [strip(item) for item in node]
        return node

    stripped = strip(schema)
    stripped.pop("__fastavro_parsed__", None)
    stripped.pop("__named_schemas", None)
    return parse_schema(stripped)


def open_transactions(bootstrap: str) -> dict[str, int]:
    """Records in the metrics topics that no committed transaction covers, by partition."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    partitions = [TopicPartition(t, p) for t in (AD_METRICS_1M, AD_METRICS_5M) for p in (0, 1)]

    def ends(isolation: IsolationLevel) -> dict[str, int]:
        asked = {partition: OffsetSpec.latest() for partition in partitions}  # type: ignore[no-untyped-call]
        answers = admin.list_offsets(asked, isolation_level=isolation)
        return {f"{p.topic}-{p.partition}": a.result(10).offset for p, a in answers.items()}

    stable = ends(IsolationLevel.READ_COMMITTED)
    written = ends(IsolationLevel.READ_UNCOMMITTED)
    return {name: written[name] - stable[name] for name in written if written[name] > stable[name]}


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition, bounded."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.25)


def flink_metric(url: str, name: str) -> list[float]:
    """Values of one of Flink's metrics, of each subtask, as Prometheus reads them.

    Args:
        url: of the reporter.
        name: the end of the metric's name.
    """
    samples = httpx.get(url, timeout=10).text.splitlines()
    return [
        float(sample.rsplit(" ", 1)[1])
        for sample in samples
        if sample.split("{")[0].endswith(name) and not sample.startswith("#")
    ]
