"""Real Kafka, registry, PostgreSQL and Redis, and the cache-writer as a real process on them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from roas_contracts.codec import Codec
from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M, AdMetric, DeltaKind
from roas_contracts.metric_key import metric_key
from roas_contracts.redis_layout import RedisMetricsReader, WindowSize
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics
from roas_local.components import KafkaBroker, PostgresServer, RedisServer, SchemaRegistry
from roas_local.migrate import migrate
from roas_local.ports import free_port

TOPICS = (AD_METRICS_1M, AD_METRICS_5M)
WAIT_SECONDS = 120.0
FIRST_WINDOW = 1_413_849_600_000
"""2014-10-21T00:00:00Z"""

Row = tuple[str, int, str, str]
"""Window size, window start (ms), dimension, value."""


def wait_until(what: str, condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """The first true answer of a condition; fails, saying what was awaited, after a bound."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(0.02)


def delta(
    number: int,
    *,
    size: WindowSize = WindowSize.ONE_MINUTE,
    window: int = 0,
    kind: DeltaKind = DeltaKind.ON_TIME,
    dimension: str = "campaign",
    value: str | None = None,
) -> AdMetric:
    """A delta whose figures differ from those of the next."""
    start = FIRST_WINDOW + window * size.millis
    return AdMetric(
        dimension=dimension,
        value=value or f"c{number}",
        window_start=start,
        window_end=start + size.millis,
        kind=kind,
        impressions=100 + number,
        clicks=number % 7,
        conversions=number % 3,
        cost_micros=1_000 * number,
        revenue_micros=1_000_000 * (number % 3),
        currency="USD",
        emitted_at=time.time_ns() // 1_000_000,
    )


def window_deltas(window: int, values: int = 50) -> list[AdMetric]:
    """What ctr-stream emits for one window of each size: a total, and some campaigns."""
    deltas = []
    for size in WindowSize:
        deltas.append(delta(values, size=size, window=window, dimension="total", value="all"))
        deltas += [delta(number, size=size, window=window) for number in range(values)]
    return deltas


def sums(deltas: Iterable[AdMetric]) -> dict[Row, tuple[int, ...]]:
    """What the stores must hold, worked out from the deltas alone."""
    result: dict[Row, list[int]] = defaultdict(lambda: [0] * 5)
    for one in deltas:
        size = "1m" if one.window_end - one.window_start == 60_000 else "5m"
        row = result[size, one.window_start, one.dimension, one.value]
        for index, name in enumerate(
            ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
        ):
            row[index] += getattr(one, name)
    return {key: tuple(values) for key, values in result.items()}


@dataclass(frozen=True)
class Servers:
    """The servers, for as long as the tests run."""

    kafka: KafkaBroker
    registry: SchemaRegistry
    postgres: PostgresServer
    redis: RedisServer


class CacheWriterStack:
    """One test's world: a database of its own, an emptied Redis, topics without old records."""

    def __init__(self, servers: Servers, directory: Path, migrations: Path, name: str) -> None:
        self.servers = servers
        self.directory = directory
        self.started_at = time.time_ns() // 1_000_000
        self.sent: list[AdMetric] = []
        self._writers: list[WriterProcess] = []
        self.admin = AdminClient({"bootstrap.servers": servers.kafka.bootstrap})
        Registry(servers.registry.url).register(load_subjects().values())
        create_topics(self.admin, load_subjects().values(), max_replication=1)
        self._drop_old_records()
        with psycopg.connect(servers.postgres.dsn, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.dsn = servers.postgres.dsn.rsplit("/", 1)[0] + f"/{name}"
        migrate(self.dsn, migrations)
        self.redis = redis.Redis.from_url(servers.redis.url, decode_responses=True)
        self.redis.flushall()
        registry = Registry(servers.registry.url)
        self.codecs = {
            topic: Codec.for_topic(topic, registry.schema_id(topic)) for topic in load_subjects()
        }

    def _drop_old_records(self) -> None:
        with self.consumer("read_uncommitted") as consumer:
            ends = [
                TopicPartition(topic, partition, self.end(consumer, topic, partition))
                for topic in TOPICS
                for partition in range(2)
            ]
        for future in self.admin.delete_records(ends).values():
            future.result(30)

    def bounds(self, consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
        """First offset and end; a topic that was just created has no leader for a moment."""

        def ask() -> Any:
            try:
                return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            except KafkaException:
                return None

        first, end = wait_until(f"{topic}[{partition}] has a leader", ask)
        return int(first), int(end)

    def end(self, consumer: Consumer, topic: str, partition: int) -> int:
        """The offset behind the last record of a partition, transaction markers included."""
        return self.bounds(consumer, topic, partition)[1]

    @contextmanager
    def consumer(self, isolation: str = "read_committed") -> Iterator[Consumer]:
        """A consumer, of committed records unless told otherwise."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers.kafka.bootstrap,
                "group.id": "test",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def producer(self, transactional_id: str = "ctr-stream-test") -> Producer:
        """A transactional producer, as Flink's sink is one."""
        producer = Producer(
            {
                "bootstrap.servers": self.servers.kafka.bootstrap,
                "transactional.id": transactional_id,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        producer.init_transactions(30)
        return producer

    def put(self, producer: Producer, one: AdMetric) -> None:
        """Produce a delta in the open transaction."""
        size = one.window_end - one.window_start
        topic = AD_METRICS_1M if size == 60_000 else AD_METRICS_5M
        producer.produce(
            topic, key=metric_key(one.dimension, one.value), value=self.codecs[topic].encode(one)
        )

    def send(self, deltas: Iterable[AdMetric], producer: Producer | None = None) -> None:
        """Send deltas in one transaction, and expect them in the stores from now on."""
        own = producer or self.producer()
        deltas = list(deltas)
        own.begin_transaction()
        for one in deltas:
            self.put(own, one)
        own.commit_transaction(30)
        self.sent += deltas

    def writer(self, **settings: str) -> WriterProcess:
        """A running cache-writer; killed at the latest when the test ends."""
        process = WriterProcess(self, len(self._writers), settings)
        self._writers.append(process)
        return process

    def cli(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one of the service's verbs to its end."""
        return subprocess.run(
            [sys.executable, "-m", "roas_cache_writer", *arguments],
            env=self.environment(settings),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """The environment of a cache-writer process."""
        ours = {
            "KAFKA_BOOTSTRAP": self.servers.kafka.bootstrap,
            "REGISTRY_URL": self.servers.registry.url,
            "POSTGRES_DSN": self.dsn,
            "REDIS_URL": self.servers.redis.url,
            "HEALTH_PORT": "0",
            **settings,
        }
        path = os.pathsep.join(entry for entry in sys.path if entry)
        prefixed = {f"ROAS_CACHE_WRITER_{name}": value for name, value in ours.items()}
        return {**os.environ, "PYTHONPATH": path, **prefixed}

    def close(self) -> None:
        """End what is left of the writers."""
        for writer in self._writers:
            writer.kill()
        self.redis.close()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows from this test's database."""
        with psycopg.connect(self.dsn, connect_timeout=5) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def applied(self) -> int:
        """Records that PostgreSQL says are counted."""
        sql = "SELECT coalesce(sum(records_applied), 0)::bigint FROM realtime.consumed_offsets"
        return int(self.query(sql)[0][0])

    def wait_until_counted(self) -> None:
        """Until every delta sent is counted, or more."""
        wait_until("all deltas are counted", lambda: self.applied() >= len(self.sent))

    def in_postgres(self) -> dict[Row, tuple[int, ...]]:
        """The totals in PostgreSQL."""
        result: dict[Row, tuple[int, ...]] = {}
        for size in WindowSize:
            rows = self.query(
                "SELECT (extract(epoch FROM window_start) * 1000)::bigint, dimension, value, "
                "impressions, clicks, conversions, cost_micros, revenue_micros "
                f"FROM realtime_v1.metrics_{size}"
            )
            result |= {(size.value, row[0], row[1], row[2]): tuple(row[3:]) for row in rows}
        return result

    def in_redis(self) -> dict[Row, tuple[int, ...]]:
        """The totals in Redis."""
        reader = RedisMetricsReader(self.redis)
        return {
            (size.value, row.window_start, row.dimension, row.value): row.totals.as_tuple()
            for size in WindowSize
            for row in reader.everything(size)
        }

    def assert_exact(self) -> None:
        """Both stores hold exactly the sums of what was sent, and nothing was counted twice."""
        expected = sums(self.sent)
        assert self.in_postgres() == expected
        assert self.applied() == len(self.sent)
        wait_until("Redis equals PostgreSQL", lambda: self.in_redis() == expected)


class WriterProcess:
    """`python -m roas_cache_writer run` as a process of its own."""

    def __init__(self, stack: CacheWriterStack, number: int, settings: dict[str, str]) -> None:
        self.log_path = stack.directory / f"cache-writer-{number}.log"
        port = free_port().number
        self._health = f"http://127.0.0.1:{port}"
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "roas_cache_writer", "run"],
                env=stack.environment({**settings, "HEALTH_PORT": str(port)}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self.log_path.read_text()

    def readiness(self) -> dict[str, Any]:
        """The answer of /readyz; empty while nothing answers."""
        try:
            return dict(httpx.get(f"{self._health}/readyz", timeout=5).json())
        except httpx.TransportError:
            return {}

    def metrics(self) -> str:
        """The answer of /metrics."""
        return httpx.get(f"{self._health}/metrics", timeout=5).text

    def wait_until_ready(self) -> None:
        """Until /readyz says yes; fails with the log when the process ends first."""

        def ready() -> bool:
            assert self._process.poll() is None, f"it ended:\n{self.log}"
            return bool(self.readiness().get("ready"))

        wait_until("the cache-writer is ready", ready)

    def send_signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP and SIGCONT."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9; fine when it has ended already."""
        self._process.kill()
        self._process.wait(WAIT_SECONDS)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return self._process.wait(WAIT_SECONDS)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        lines = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("event") == event]
