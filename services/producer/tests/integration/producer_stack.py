"""Real Kafka, real registry, and the producer as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from roas_contracts.decoder import Decoded, Decoder
from roas_contracts.events import DEAD_LETTERS, EVENT_TOPICS, PRODUCER_PROGRESS
from roas_contracts.registry import SchemaSource
from roas_contracts.rules import Rules
from roas_local.components import KafkaBroker, SchemaRegistry

TOPICS: Final = [*EVENT_TOPICS, DEAD_LETTERS, PRODUCER_PROGRESS]
IMPORT_PATH: Final = os.pathsep.join(path for path in sys.path if path)
"""Where a child process finds what this one has found."""


@dataclass(frozen=True)
class Committed:
    """One committed record."""

    partition: int
    key: bytes | None
    value: bytes | None
    decoded: Decoded
    timestamp_ms: int


Position = Mapping[tuple[str, int], int]


class ProducerProcess:
    """A running ``python -m roas_producer``."""

    def __init__(self, arguments: list[str], env: dict[str, str], log: Path, pipe: bool) -> None:
        self.log_path = log
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "roas_producer", *arguments],
            env=env,
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def events(self) -> list[dict[str, Any]]:
        """What it logged so far."""
        lines = self.log_path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def named(self, event: str) -> list[dict[str, Any]]:
        """Log events of one name."""
        return [line for line in self.events() if line["event"] == event]

    def transaction_is_open(self) -> bool:
        """Whether the last thing said about transactions is that one was opened."""
        said = [line["event"] for line in self.events() if line["event"].startswith("transaction ")]
        return bool(said) and said[-1] == "transaction open"

    def wait_for_commits(self, count: int) -> None:
        """Until it has committed so many transactions."""
        wait_until(lambda: len(self.named("transaction committed")) >= count, f"{count} commits")

    def wait_for_an_open_transaction(self) -> None:
        """Until a transaction is open."""
        wait_until(self.transaction_is_open, "a transaction is open")

    def finish(self, timeout_seconds: float = 120) -> tuple[int, bytes]:
        """Wait for the end: exit code and standard output."""
        out, _ = self.process.communicate(timeout=timeout_seconds)
        self._log.close()
        return self.process.returncode, out

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.finish(30)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.kill()


class ProducerStack:
    """Kafka and the registry with topics and schemas, and producers beside them."""

    def __init__(self, kafka: KafkaBroker, registry: SchemaRegistry, folder: Path) -> None:
        self.kafka = kafka
        self.registry = registry
        self._folder = folder
        self._started: list[ProducerProcess] = []
        rules = Rules(group="test")
        schemas = SchemaSource(registry.url)
        self._decoders = {topic: Decoder(topic, schemas, rules) for topic in TOPICS}

    def deploy(self) -> None:
        """Topics and schemas, as in any deployment."""
        for arguments in (["topics", "--replication", "1"], ["register"]):
            command = [sys.executable, "-m", "roas_contracts", *arguments]
            done = subprocess.run(
                command, env=self.environment(), capture_output=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr.decode()

    def environment(self, **settings: str) -> dict[str, str]:
        """Settings of a producer; ``settings`` without prefix."""
        given = {f"ROAS_PRODUCER_{name.upper()}": value for name, value in settings.items()}
        return {
            **os.environ,
            "PYTHONPATH": IMPORT_PATH,
            "ROAS_CONTRACTS_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "ROAS_CONTRACTS_REGISTRY_URL": self.registry.url,
            "ROAS_PRODUCER_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "ROAS_PRODUCER_REGISTRY_URL": self.registry.url,
            **given,
        }

    def start(self, *arguments: str | Path, **settings: str) -> ProducerProcess:
        """Start a producer; ``-`` among the arguments gives it a pipe as standard input."""
        log = self._folder / f"producer-{len(self._started)}.log"
        process = ProducerProcess(
            [str(argument) for argument in arguments],
            self.environment(**settings),
            log,
            "-" in arguments,
        )
        self._started.append(process)
        return process

    def run(self, *arguments: str | Path, **settings: str) -> dict[str, Any]:
        """Run a producer to its end; its JSON."""
        process = self.start(*arguments, "--json", **settings)
        code, out = process.finish()
        assert code == 0, process.log_path.read_text()[-4000:]
        result: dict[str, Any] = json.loads(out)
        return result

    def end_all(self) -> None:
        """Leave no producer behind."""
        for process in self._started:
            process.end()

    def position(self) -> Position:
        """Where the topics end now."""
        consumer = self._consumer("read_uncommitted")
        try:
            return self._ends(consumer)
        finally:
            consumer.close()

    def committed(self, since: Position) -> dict[str, list[Committed]]:
        """All records committed after a position, in order within a partition, decoded."""
        # The log's own ends: a commit is answered before its markers are in every partition, and
        # until they are a read_committed reader would take an earlier offset for the end.
        ends = {key: end for key, end in self.position().items() if end > since[key]}
        consumer = self._consumer("read_committed")
        try:
            consumer.assign([TopicPartition(*key, since[key]) for key in ends])
            return self._read(consumer, ends)
        finally:
            consumer.close()

    def _read(self, consumer: Consumer, ends: Position) -> dict[str, list[Committed]]:
        out: dict[str, list[Committed]] = {topic: [] for topic in TOPICS}
        open_ends, deadline = set(ends), time.monotonic() + 120
        while open_ends:
            assert time.monotonic() < deadline, f"not read to the end: {open_ends}"
            message = consumer.poll(1.0)
            if message is None:
                continue
            topic, partition = message.topic() or "", message.partition() or 0
            problem = message.error()
            if problem is not None:
                assert problem.code() == KafkaError._PARTITION_EOF, problem.str()
                if (message.offset() or 0) >= ends[topic, partition]:
                    open_ends.discard((topic, partition))
                continue
            if (message.offset() or 0) + 1 >= ends[topic, partition]:
                # Where a producer writes all the time no end of partition may ever be reported.
                open_ends.discard((topic, partition))
            headers = message.headers()
            decoded = self._decoders[topic].decode(
                message.value(),
                headers if isinstance(headers, list) else None,  # type: ignore[arg-type]
                time.time_ns() // 1_000_000,
            )
            record = Committed(
                partition, message.key(), message.value(), decoded, message.timestamp()[1]
            )
            out[topic].append(record)
        return out

    def _ends(self, consumer: Consumer) -> dict[tuple[str, int], int]:
        known = consumer.list_topics(timeout=10).topics
        ends = {}
        for topic in TOPICS:
            for partition in known[topic].partitions:
                marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
                assert marks is not None
                ends[topic, partition] = marks[1]
        return ends

    def _consumer(self, isolation: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": "producer-tests",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "fetch.queue.backoff.ms": 10,
            }
        )


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """A bounded wait."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.02)
