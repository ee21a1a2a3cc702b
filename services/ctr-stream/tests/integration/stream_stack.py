"""Kafka, registry, Flink and the service itself, as processes, for one test module."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import httpx
from stream_traffic import Sender

from roas_local.components import FlinkCluster, KafkaBroker, SchemaRegistry, ServiceProcess
from roas_local.install import default_toolchain
from roas_local.ports import free_port

IMPORT_PATH: Final = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
"""Where a child process, which has another working directory, finds what this one has found."""


class StreamStack:
    """The components a job needs, and the service that runs it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kafka = KafkaBroker(directory / "kafka")
        self.registry = SchemaRegistry(directory / "registry")
        self.flink = FlinkCluster(directory / "flink")
        self.schema_ids: dict[str, int] = {}
        self._services = 0

    def prepare(self) -> None:
        """Create topics and register schemas."""
        self._contracts("topics", "--replication", "1")
        registered = self._contracts("register")
        self.schema_ids = {row["topic"]: row["schema_id"] for row in registered}

    def _contracts(self, *arguments: str) -> list[dict[str, Any]]:
        """The deploy step, as a process like in any deployment."""
        command = [sys.executable, "-m", "roas_contracts", *arguments, "--json"]
        env = {
            **os.environ,
            "PYTHONPATH": IMPORT_PATH,
            "ROAS_CONTRACTS_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "ROAS_CONTRACTS_REGISTRY_URL": self.registry.url,
        }
        done = subprocess.run(command, env=env, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def sender(self, **settings: str) -> Sender:
        return Sender(self.kafka.bootstrap, self.schema_ids, **settings)

    def environment(self, **overrides: str) -> dict[str, str]:
        """Settings of the service, and its import path."""
        settings = {
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "REGISTRY_URL": self.registry.url,
            "FLINK_URL": self.flink.rest_url,
            "JARS": os.pathsep.join(map(str, default_toolchain().stream_jars())),
            "CHECKPOINTS": str(self.flink.checkpoints),
            "SAVEPOINTS": str(self.flink.savepoints),
            **overrides,
        }
        return {
            **{f"ROAS_CTR_STREAM_{name}": value for name, value in settings.items()},
            "JAVA_HOME": str(default_toolchain().java_home()),
            "PYTHONPATH": IMPORT_PATH,
        }

    def service_process(self, *arguments: str, **overrides: str) -> ServiceProcess:
        """`run`, not started yet."""
        self._services += 1
        port = free_port()
        return ServiceProcess(
            f"ctr-stream-{self._services}",
            [sys.executable, "-m", "roas_ctr_stream", "run", *arguments],
            directory=self.directory / f"service-{self._services}",
            env=self.environment(HEALTH_PORT=str(port.number), **overrides),
            health_port=port,
        )

    @contextmanager
    def service(self, *arguments: str, **overrides: str) -> Iterator[ServiceProcess]:
        """`run`, ready; stopped (and its job cancelled) at the end."""
        with self.service_process(*arguments, **overrides) as process:
            yield process

    def alive_jobs(self) -> int:
        """Jobs that have not ended, whatever their name."""
        jobs = httpx.get(f"{self.flink.rest_url}/jobs/overview", timeout=5).json()["jobs"]
        return sum(job["state"] not in ("FINISHED", "CANCELED", "FAILED") for job in jobs)


@contextmanager
def stream_stack(directory: Path, *, cluster: bool = True) -> Iterator[StreamStack]:
    """A running stack with topics and schemas, without the service."""
    stack = StreamStack(directory)
    flink = stack.flink if cluster else nullcontext()
    with stack.kafka, stack.registry, flink:
        stack.prepare()
        yield stack
