"""Real Kafka, registry and PostgreSQL, and the batch's command line on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from batch_events import Record
from confluent_kafka import Consumer, IsolationLevel, KafkaError, Producer, TopicPartition
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from roas_batch.cli import app
from roas_contracts import exit_codes
from roas_contracts.codec import Codec
from roas_contracts.errors import RoasError
from roas_contracts.events import EVENT_TOPICS, Event
from roas_contracts.registry import Registry
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics
from roas_local.components import KafkaBroker, PostgresServer, SchemaRegistry
from roas_local.migrate import migrate

WAIT_SECONDS = 120.0
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
        time.sleep(0.01)


@dataclass(frozen=True)
class Servers:
    """The servers, for as long as the tests run."""

    kafka: KafkaBroker
    registry: SchemaRegistry
    postgres: PostgresServer


@dataclass(frozen=True)
class Answer:
    """How a verb ended."""

    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


class BatchStack:
    """One test's world: a database and an archive of its own, event topics that are new."""

    def __init__(self, servers: Servers, directory: Path, migrations: Path, name: str) -> None:
        self.servers = servers
        self.archive = directory / "archive"
        self.admin = AdminClient({"bootstrap.servers": servers.kafka.bootstrap})
        self.registry = Registry(servers.registry.url)
        subjects = load_subjects()
        self.registry.register(subjects.values())
        self.new_topics()
        with psycopg.connect(servers.postgres.dsn, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.dsn = servers.postgres.dsn.rsplit("/", 1)[0] + f"/{name}"
        migrate(self.dsn, migrations)
        self._codecs = {
            topic: Codec.for_topic(topic, self.registry.schema_id(topic)) for topic in EVENT_TOPICS
        }

    def new_topics(self, topics: Iterable[str] = EVENT_TOPICS) -> None:
        """Delete what there is of these topics, and create them again, empty."""
        wanted = [load_subjects()[topic] for topic in topics]
        known = self.admin.list_topics(timeout=30).topics
        doomed = [each.name for each in wanted if each.name in known]
        for future in self.admin.delete_topics(doomed).values() if doomed else ():
            future.result(30)

        def gone() -> bool:
            return not set(doomed) & set(self.admin.list_topics(timeout=30).topics)

        wait_until("the old topics are gone", gone)
        create_topics(self.admin, wanted, max_replication=1)
        wait_until("every partition has a leader", lambda: self._led(wanted))

    def _led(self, wanted: Iterable[Any]) -> bool:
        known = self.admin.list_topics(timeout=30).topics
        return all(
            each.name in known
            and len(known[each.name].partitions) == each.file.topic.partitions
            and all(partition.leader >= 0 for partition in known[each.name].partitions.values())
            for each in wanted
        )

    def records(self, topic: str, events: Iterable[Event]) -> list[Record]:
        """Events as records."""
        codec = self._codecs[topic]
        return [(b"key", codec.encode(event), None) for event in events]

    def send(
        self, topic: str, records: Sequence[Record], partition: int = 0, *, abort: bool = False
    ) -> None:
        """Records in one transaction."""
        producer = Producer(
            {
                "bootstrap.servers": self.servers.kafka.bootstrap,
                "transactional.id": f"test-{topic}-{partition}",
                "linger.ms": 5,
            }
        )
        producer.init_transactions(60)
        producer.begin_transaction()
        for key, value, headers in records:
            its: Any = headers  # A null header is allowed, but not in the client's types.
            producer.produce(topic, value, key, partition=partition, headers=its)
            producer.poll(0)
        if abort:
            producer.flush(60)
            producer.abort_transaction(60)
        else:
            producer.commit_transaction(60)
        # A commit is answered before its marker is in every partition.
        wait_until("the transaction is decided", lambda: self._decided(topic, partition))

    def _decided(self, topic: str, partition: int) -> bool:
        at = TopicPartition(topic, partition)
        stable, end = (
            self.admin.list_offsets({at: _LATEST}, isolation_level=level)[at].result(30).offset
            for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
        )
        return bool(stable == end)

    def committed(self, topic: str, partition: int) -> list[tuple[Any, ...]]:
        """Every committed record, read by nothing of the batch: offset, timestamp, key, …"""
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
        found: list[tuple[Any, ...]] = []
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            consumer.assign([TopicPartition(topic, partition, 0)])
            while True:
                assert time.monotonic() < deadline, f"{topic} was not read to its end"
                for message in consumer.consume(1000, 0.2):
                    error = message.error()
                    if error is not None:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        return found
                    kind, timestamp = message.timestamp()
                    found.append(
                        (
                            message.offset(),
                            timestamp,
                            kind,
                            message.key(),
                            message.value(),
                            message.headers(),
                        )
                    )
        finally:
            consumer.close()

    def batch(self, *arguments: str, **settings: str) -> Answer:
        """One of the verbs, in this process."""
        result = CliRunner().invoke(app, arguments, env=self._settings(settings))
        if isinstance(result.exception, RoasError):
            return Answer(result.exception.exit_code, result.stdout, str(result.exception))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def answer(self, *arguments: str, code: int = exit_codes.OK, **settings: str) -> Any:
        """What a verb says as JSON, after it ended with this exit code."""
        answer = self.batch(*arguments, "--json", **settings)
        assert answer.code == code, answer
        return answer.json

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """A verb as a process of its own."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        return subprocess.Popen(
            [sys.executable, "-m", "roas_batch", *arguments],
            env={**os.environ, "PYTHONPATH": path, **self._settings(settings)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def archive_all(self, **settings: Any) -> list[str]:
        """Do what the plan says, but for rebuilding; the days that it names then."""
        for each in self.answer("plan", **settings)["ranges"]:
            self.answer("archive", *range_options(each), **settings)
        left = self.answer("plan", **settings)
        assert left["ranges"] == []
        days: list[str] = left["days"]
        return days

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows from this test's database."""
        with psycopg.connect(self.dsn, connect_timeout=5) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def _settings(self, changes: dict[str, str]) -> dict[str, str]:
        ours = {
            "KAFKA_BOOTSTRAP": self.servers.kafka.bootstrap,
            "REGISTRY_URL": self.servers.registry.url,
            "POSTGRES_DSN": self.dsn,
            "ARCHIVE": str(self.archive),
            "WORKERS": "1",
            **changes,
        }
        return {f"ROAS_BATCH_{name}": value for name, value in ours.items()}


def range_options(each: dict[str, Any]) -> list[str]:
    """A planned range as options of `archive`."""
    return [
        f"--topic={each['topic']}",
        f"--partition={each['partition']}",
        f"--from={each['from_offset']}",
        f"--to={each['to_offset']}",
    ]
