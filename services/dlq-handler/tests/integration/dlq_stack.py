"""Real Kafka, registry and PostgreSQL, and the dlq-handler and its tool as processes on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import Consumer, IsolationLevel, KafkaError, Producer, TopicPartition
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from roas_contracts import headers as header_names
from roas_contracts.codec import Codec
from roas_contracts.dead_letters import kafka_dead_letter_id
from roas_contracts.events import (
    AD_CLICKS,
    AD_IMPRESSIONS,
    DEAD_LETTER_ACTIONS,
    DEAD_LETTERS,
    DeadLetter,
    DeadLetterReason,
    Headers,
    OriginType,
)
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics
from roas_local.components import KafkaBroker, PostgresServer, SchemaRegistry
from roas_local.migrate import migrate
from roas_local.ports import free_port

WAIT_SECONDS = float(os.environ.get("ROAS_DLQ_WAIT_SECONDS", "120"))
TOPICS = {AD_IMPRESSIONS: 4, AD_CLICKS: 2, DEAD_LETTERS: 2, DEAD_LETTER_ACTIONS: 1}
_LATEST: Any = vars(kafka_admin)["OffsetSpec"].latest()


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


def letter(number: int, **changes: Any) -> DeadLetter:
    """A dead letter of a Kafka record that differs from the next one's in everything."""
    fields: dict[str, Any] = {
        "origin_type": OriginType.KAFKA,
        "topic": AD_CLICKS,
        "partition": number % 2,
        "offset": 1_000 + number,
        "key": b"key-%d" % number,
        "value": b"\x01bad %d \x00\xff" % number,
        "headers": (("trace", b"%d" % number), ("trace", None), ("trace", b"\xff\x00")),
        "record_timestamp": 1_767_225_600_000 + number,
        "timestamp_type": "CREATE_TIME",
        "consumer_group": "ctr-stream",
        "service": "ctr-stream",
        "service_version": "0.1.0",
        "stage": "decode",
        "reason": DeadLetterReason.NOT_WIRE_FORMAT,
        "detail": f"starts with byte 0x01, number {number}",
        "first_failed_at": 1_767_225_600_000 + number,
        "failed_at": 1_767_225_600_000 + number,
        "attempts": 1,
        **changes,
    }
    if "dead_letter_id" not in fields:
        fields["dead_letter_id"] = kafka_dead_letter_id(
            fields["topic"], fields["partition"], fields["offset"], fields["consumer_group"]
        )
    return DeadLetter(**fields)


@dataclass(frozen=True)
class Servers:
    """The servers, for as long as the tests run."""

    kafka: KafkaBroker
    registry: SchemaRegistry
    postgres: PostgresServer


@dataclass(frozen=True)
class Sent:
    """A committed record of a topic."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def replay_of(self) -> str:
        value = header_names.last(self.headers, header_names.REPLAY_OF)
        assert value is not None
        return value.decode()


class DlqStack:
    """One test's world: a database of its own, topics without old records."""

    def __init__(self, servers: Servers, directory: Path, migrations: Path, name: str) -> None:
        self.servers = servers
        self.directory = directory
        self._services: list[ServiceProcess] = []
        self.admin = AdminClient({"bootstrap.servers": servers.kafka.bootstrap})
        self.registry = Registry(servers.registry.url)
        self.registry.register(load_subjects().values())
        create_topics(self.admin, load_subjects().values(), max_replication=1)
        self.drop_old_records()
        with psycopg.connect(servers.postgres.dsn, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.dsn = servers.postgres.dsn.rsplit("/", 1)[0] + f"/{name}"
        migrate(self.dsn, migrations)
        self.codec = Codec.for_topic(DEAD_LETTERS, self.registry.schema_id(DEAD_LETTERS))

    def ends(self) -> dict[tuple[str, int], int]:
        """The end of every partition, open transactions and markers included."""
        partitions = [TopicPartition(t, n) for t, count in TOPICS.items() for n in range(count)]

        def ask() -> dict[tuple[str, int], int] | None:
            asked = self.admin.list_offsets(
                {partition: _LATEST for partition in partitions},
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=30,
            )
            try:
                return {(p.topic, p.partition): a.result(30).offset for p, a in asked.items()}
            except Exception:  # A topic that was just created has no leader for a moment.
                return None

        return dict(wait_until("every partition has a leader", ask))

    def drop_old_records(self) -> None:
        ends = [TopicPartition(*key, end) for key, end in self.ends().items()]
        for future in self.admin.delete_records(ends).values():
            future.result(30)

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Dead letters as a consumer writes them."""
        self.produce(
            [(DEAD_LETTERS, one.dead_letter_id.encode(), self.codec.encode(one)) for one in letters]
        )

    def produce(self, records: Sequence[tuple[str, bytes | None, bytes | None]]) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self.servers.kafka.bootstrap,
                "linger.ms": 5,
                "partitioner": "murmur2_random",
            }
        )
        for topic, key, value in records:
            while True:
                try:
                    producer.produce(topic, key=key, value=value)
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(60) == 0

    def committed(self, topic: str) -> list[Sent]:
        """Every committed record of a topic, to the end that it has now."""
        behind = {key: end for key, end in self.ends().items() if key[0] == topic}
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers.kafka.bootstrap,
                "group.id": "test",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        found: list[Sent] = []
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            consumer.assign([TopicPartition(*key) for key in behind])
            while behind:
                assert time.monotonic() < deadline, f"{topic} was not read to its end"
                for message in consumer.consume(1000, 0.2):
                    key, offset = (topic, int(message.partition() or 0)), int(message.offset() or 0)
                    error = message.error()
                    if error is None:
                        headers = header_names.of(message)
                        found.append(Sent(key[1], message.key(), message.value(), headers))
                        offset += 1
                    else:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                    if offset >= behind.get(key, 0):
                        behind.pop(key, None)
        finally:
            consumer.close()
        return found

    def replays(self, topic: str = AD_CLICKS) -> Counter[str]:
        """How often each dead letter was sent again, by Kafka's own word."""
        return Counter(one.replay_of for one in self.committed(topic))

    def service(self, **settings: str) -> ServiceProcess:
        """A running dlq-handler; killed at the latest when the test ends."""
        process = ServiceProcess(self, len(self._services), settings)
        self._services.append(process)
        return process

    def dlq(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one of the tool's verbs to its end."""
        return subprocess.run(
            [sys.executable, "-m", "roas_dlq_handler", *arguments],
            env=self.environment(settings),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def answer(self, *arguments: str, code: int = 0, **settings: str) -> Any:
        """What a verb says as JSON, after it ended with this exit code."""
        done = self.dlq(*arguments, "--json", **settings)
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A verb as a process."""
        return subprocess.Popen(
            [sys.executable, "-m", "roas_dlq_handler", *arguments],
            env=self.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        ours = {
            "KAFKA_BOOTSTRAP": self.servers.kafka.bootstrap,
            "REGISTRY_URL": self.servers.registry.url,
            "POSTGRES_DSN": self.dsn,
            "HEALTH_PORT": "0",
            **settings,
        }
        path = os.pathsep.join(entry for entry in sys.path if entry)
        prefixed = {f"ROAS_DLQ_HANDLER_{name}": value for name, value in ours.items()}
        return {**os.environ, "PYTHONPATH": path, **prefixed}

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows from this test's database."""
        with psycopg.connect(self.dsn, connect_timeout=5) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def stored(self) -> int:
        """Dead letters in PostgreSQL."""
        return int(self.query("SELECT count(*) FROM errors_v1.dead_letters")[0][0])

    def states(self) -> dict[str, int]:
        """How many dead letters are in which state."""
        return dict(self.query("SELECT state, count(*) FROM errors_v1.dead_letters GROUP BY 1"))

    def wait_until_stored(self, count: int) -> None:
        wait_until(f"{count} dead letters are stored", lambda: self.stored() >= count)

    def wait_until_states(self, **expected: int) -> None:
        wait_until(f"the states are {expected}", lambda: self.states() == expected)

    def close(self) -> None:
        for process in self._services:
            process.kill()


class ServiceProcess:
    """`python -m roas_dlq_handler run` as a process of its own."""

    def __init__(self, stack: DlqStack, number: int, settings: dict[str, str]) -> None:
        self.log_path = stack.directory / f"dlq-handler-{number}.log"
        port = free_port().number
        self._health = f"http://127.0.0.1:{port}"
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "roas_dlq_handler", "run"],
                env=stack.environment({"HEALTH_PORT": str(port), **settings}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def readiness(self) -> dict[str, Any]:
        """The answer of /readyz; empty while nothing answers."""
        try:
            return dict(httpx.get(f"{self._health}/readyz", timeout=5).json())
        except httpx.TransportError:
            return {}

    def metrics(self) -> str:
        return httpx.get(f"{self._health}/metrics", timeout=5).text

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self._process.poll() is None, f"it ended:\n{self.log}"
            return bool(self.readiness().get("ready"))

        wait_until("the dlq-handler is ready", ready)

    def kill(self) -> None:
        """kill -9; fine when it has ended already."""
        self._process.kill()
        self._process.wait(WAIT_SECONDS)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self._process.terminate()
        return self._process.wait(WAIT_SECONDS)

    def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return self._process.wait(WAIT_SECONDS)
