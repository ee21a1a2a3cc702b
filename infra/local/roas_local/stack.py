"""The composition of the stack: which processes, in which order, with which settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roas_local.components import (
    Airflow,
    FlinkCluster,
    KafkaBroker,
    ManagedProcess,
    PostgresServer,
    RedisServer,
    SchemaRegistry,
    ServiceProcess,
)
from roas_local.components.airflow_home import AirflowHome, AirflowPorts
from roas_local.install import Toolchain
from roas_local.ports import LOOPBACK
from roas_local.settings import StackSettings

SERVICES: Final = ("ctr-stream", "cache-writer", "dlq-handler")
"""Our own processes that the stack keeps running."""


@dataclass(frozen=True, slots=True)
class StackFolders:
    """Folders and files of one stack below its state folder."""

    root: Path

    @property
    def data(self) -> Path:
        """One folder per component."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def state_file(self) -> Path:
        """What the supervisor says about itself."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "lock"

    def log(self, name: str) -> Path:
        """Log of one process."""
        return self.logs / f"{name}.log"

    @property
    def own_settings(self) -> Path:
        """One file per service that was restarted with settings of its own."""
        return self.root / "own-settings"

    def own_settings_of(self, name: str) -> Path:
        """Settings that one service alone has, until the stack is stopped."""
        return self.own_settings / f"{name}.json"


class Stack:
    """All components of a state folder. Building it starts nothing."""

    def __init__(self, folders: StackFolders, settings: StackSettings, tools: Toolchain) -> None:
        self.folders = folders
        self._settings = settings
        self._tools = tools
        data, port, log = folders.data, settings.port, folders.log
        self.postgres = PostgresServer(
            data / "postgres", port=port("postgres"), log_path=log("postgres"), toolchain=tools
        )
        self.redis = RedisServer(
            data / "redis", port=port("redis"), log_path=log("redis"), toolchain=tools
        )
        self.kafka = KafkaBroker(
            data / "kafka",
            port=port("kafka"),
            controller_port=port("kafka_controller"),
            log_path=log("kafka"),
            toolchain=tools,
        )
        self.registry = SchemaRegistry(
            data / "registry", port=port("registry"), log_path=log("registry"), toolchain=tools
        )
        self.flink = FlinkCluster(
            data / "flink",
            rest_port=port("flink"),
            rpc_port=port("flink_rpc"),
            metrics_ports=(port("flink_metrics"), port("flink_taskmanager_metrics")),
            log_folder=folders.logs,
            toolchain=tools,
        )

    def infrastructure(self) -> list[ManagedProcess]:
        """What everything else needs, in the order of starting."""
        flink = [self.flink.jobmanager, self.flink.taskmanager]
        return [self.postgres, self.redis, self.kafka, self.registry, *flink]

    def services(self) -> list[ManagedProcess]:
        """Our own processes, in the order of starting. Needs the infrastructure prepared."""
        stream = (self._tools.environment("flink"), "-m", "roas_ctr_stream", "run")
        writer = (self._tools.environment("services"), "-m", "roas_cache_writer", "run")
        keeper = (self._tools.environment("services"), "-m", "roas_dlq_handler", "run")
        return [
            self._service("ctr-stream", stream, "ctr_stream_health"),
            self._service("cache-writer", writer, "cache_writer_health"),
            self._service("dlq-handler", keeper, "dlq_handler_health"),
        ]

    def batch(self, settings: Mapping[str, str] | None = None) -> Airflow:
        """What runs the batch, installed now. Needs the infrastructure prepared.

        Args:
            settings: environment variables of the DAGs and tools, instead of the usual ones.
        """
        self._tools.batch()
        return Airflow(
            self._airflow_home.folder,
            database=self.postgres.dsn,
            env=self.environment() | dict(settings or {}),
            workers=self._settings.airflow_workers,
            ports=AirflowPorts(
                self._settings.port("airflow"), self._settings.port("airflow_scheduler_health")
            ),
            log_folder=self.folders.logs,
            toolchain=self._tools,
        )

    @property
    def _airflow_home(self) -> AirflowHome:
        return AirflowHome(self.folders.data / "airflow")

    def environment(self) -> dict[str, str]:
        """Settings of every service and tool for this stack. Needs the infrastructure prepared."""
        ports = self._settings
        shared = {
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "REGISTRY_URL": self.registry.url,
        }
        storage = {"POSTGRES_DSN": self.postgres.dsn, "REDIS_URL": self.redis.url}
        stream = {
            "FLINK_URL": self.flink.rest_url,
            "CHECKPOINTS": str(self.flink.checkpoints),
            "SAVEPOINTS": str(self.flink.savepoints),
        }
        by_service = {
            "CONTRACTS": shared,
            "PRODUCER": {**shared, "HEALTH_PORT": str(ports.producer_health_port)},
            "CTR_STREAM": {**shared, **stream, "HEALTH_PORT": str(ports.ctr_stream_health_port)},
            "CACHE_WRITER": {
                **shared,
                **storage,
                "HEALTH_PORT": str(ports.cache_writer_health_port),
            },
            "DLQ_HANDLER": {
                **shared,
                "POSTGRES_DSN": self.postgres.dsn,
                "HEALTH_PORT": str(ports.dlq_handler_health_port),
            },
            "LEDGER": {**shared, **storage},
            "BATCH": {
                **shared,
                "POSTGRES_DSN": self.postgres.dsn,
                "ARCHIVE": str(self.folders.data / "archive"),
            },
            "AIRFLOW": self._airflow_settings(),
            "DAGS": self._dag_settings(),
            "DBT": {
                "POSTGRES_DSN": self.postgres.dsn,
                # Installed when it is first used: most stacks never do.
                "PROGRAM": str(self._tools.layout.python("dbt").with_name("dbt")),
                "STATE": str(self.folders.data / "dbt"),
            },
        }
        settings = {
            f"ROAS_{service}_{name}": value
            for service, values in by_service.items()
            for name, value in values.items()
        }
        return (
            settings
            | release_settings(self._tools)
            | {
                "JAVA_HOME": str(self._tools.java_home()),
                "PYTHONUNBUFFERED": "1",
                "ROAS_HOME": str(self._tools.layout.home),
            }
        )

    def _airflow_settings(self) -> dict[str, str]:
        return {
            "HOME": str(self._airflow_home.folder),
            "URL": f"http://{LOOPBACK}:{self._settings.airflow_port}",
            "PASSWORDS": str(self._airflow_home.passwords),
            "PYTHON": str(self._tools.layout.python("airflow")),
        }

    def _dag_settings(self) -> dict[str, str]:
        """Which programs the DAGs' tasks start."""

        def command(module: str) -> str:
            return json.dumps([str(self._tools.layout.python("services")), "-m", module])

        return {"BATCH_COMMAND": command("roas_batch"), "DBT_COMMAND": command("roas_dbt")}

    def _service(self, name: str, argv: tuple[str | Path, ...], port: str) -> ServiceProcess:
        return ServiceProcess(
            name,
            argv,
            directory=self.folders.data / name,
            env=self.environment(),
            health_port=self._settings.port(port),
            log_path=self.folders.log(name),
            own_settings=self.folders.own_settings_of(name),
        )


def release_settings(tools: Toolchain) -> dict[str, str]:
    """Which code a service runs: that of a checkout."""
    return {
        "PYTHONPATH": tools.layout.python_path,
        "ROAS_CTR_STREAM_JARS": ":".join(map(str, tools.stream_jars())),
        "ROAS_REPOSITORY": str(tools.layout.repository),
    }
