"""Apache Flink: a session cluster of one JobManager and one TaskManager."""

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from roas_local.components.process import Launch, ManagedProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

SLOTS = 4

_PROBE_SECONDS = 3.0
_METRICS = "metrics.reporter.prom"


class _FlinkProcess(ManagedProcess):
    """What JobManager and TaskManager share: Flink's own scripts and a configuration folder."""

    ready_timeout_s = 90.0

    def __init__(
        self,
        directory: Path | str,
        settings: Mapping[str, object],
        metrics_port: Port,
        log_path: Path | None,
        toolchain: Toolchain,
    ) -> None:
        super().__init__(directory, log_path)
        self._settings = settings
        self._metrics_port = metrics_port
        self._toolchain = toolchain

    @property
    def metrics_url(self) -> str:
        """Where Prometheus finds this process' metrics."""
        return f"http://{LOOPBACK}:{self._metrics_port.number}/metrics"

    def prepare(self) -> None:
        """Write the configuration, format the storage."""
        super().prepare()
        shipped = self._toolchain.flink() / "conf"
        conf = self.directory / "conf"
        conf.mkdir(exist_ok=True)
        shutil.copy(shipped / "log4j-console.properties", conf)
        java_options = yaml.safe_load((shipped / "config.yaml").read_text())["env"]["java"]["opts"]
        settings = {
            **self._settings,
            "env.java.opts.all": java_options["all"],
            "io.tmp.dirs": str(self.directory / "tmp"),
            f"{_METRICS}.factory.class": (
                "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
            ),
            f"{_METRICS}.port": str(self._metrics_port.number),
        }
        (conf / "config.yaml").write_text(yaml.safe_dump(settings))
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        (self.directory / "tmp").mkdir()

    def _script(self, name: str, *arguments: str) -> Launch:
        home = self._toolchain.flink()
        env = {
            "JAVA_HOME": str(self._toolchain.java_home()),
            "FLINK_HOME": str(home),
            "FLINK_CONF_DIR": str(self.directory / "conf"),
            "FLINK_LOG_DIR": str(self.directory),
            "FLINK_PID_DIR": str(self.directory / "tmp"),
        }
        argv: list[str | Path] = ["bash", home / "bin" / name, "start-foreground", *arguments]
        return Launch(argv, cwd=self.directory, env=env)


class JobManager(_FlinkProcess):
    """Takes jobs and coordinates their checkpoints; serves Flink's REST interface."""

    name = "jobmanager"

    def __init__(
        self,
        directory: Path | str,
        *,
        rest_port: Port,
        rpc_port: Port,
        settings: Mapping[str, object],
        metrics_port: Port,
        log_path: Path | None,
        toolchain: Toolchain,
    ) -> None:
        super().__init__(directory, settings, metrics_port, log_path, toolchain)
        self._rest_port = rest_port
        self._rpc_port = rpc_port

    @property
    def rest_url(self) -> str:
        """Base URL of Flink's REST interface and web pages."""
        return f"http://{LOOPBACK}:{self._rest_port.number}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {
            "Flink's REST interface": self._rest_port,
            "Flink's internal calls": self._rpc_port,
            "the JobManager's metrics": self._metrics_port,
        }

    def launch(self) -> Launch:
        """The program and its arguments."""
        return self._script("jobmanager.sh")

    def probe(self) -> bool:
        """Whether it answers as it should."""
        return "flink-version" in self.get("/overview")

    def get(self, path: str) -> dict[str, Any]:
        """Answer of a REST call. Raises httpx.HTTPError."""
        answer = httpx.get(f"{self.rest_url}{path}", timeout=_PROBE_SECONDS)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


class TaskManager(_FlinkProcess):
    """Runs the jobs' tasks. Ready when the JobManager knows this very process."""

    name = "taskmanager"

    def __init__(
        self,
        directory: Path | str,
        *,
        jobmanager: JobManager,
        settings: Mapping[str, object],
        metrics_port: Port,
        log_path: Path | None,
        toolchain: Toolchain,
    ) -> None:
        super().__init__(directory, settings, metrics_port, log_path, toolchain)
        self._jobmanager = jobmanager
        self._resource_id = ""

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"the TaskManager's metrics": self._metrics_port}

    def launch(self) -> Launch:
        """The program and its arguments."""
        # A new name for each process: a killed one stays listed until its heartbeat times out.
        self._resource_id = f"taskmanager-{uuid.uuid4().hex[:12]}"
        return self._script("taskmanager.sh", "-D", f"taskmanager.resource-id={self._resource_id}")

    def probe(self) -> bool:
        """Whether it answers as it should."""
        known = self._jobmanager.get("/taskmanagers")["taskmanagers"]
        return any(manager["id"] == self._resource_id for manager in known)


class FlinkCluster:
    """JobManager and TaskManager, each a process that can be killed and started singly.

    Jobs bring their own checkpoint and restart settings; the folder for checkpoints is
    `checkpoints` and survives everything but its removal.
    """

    name = "flink"

    def __init__(
        self,
        directory: Path | str,
        *,
        rest_port: Port | None = None,
        rpc_port: Port | None = None,
        metrics_ports: tuple[Port, Port] | None = None,
        log_folder: Path | None = None,
        toolchain: Toolchain | None = None,
        parallelism: int = 2,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """`settings` are Flink's own, instead of or in addition to those below."""
        self.directory = Path(directory).absolute()
        self.checkpoints = self.directory / "checkpoints"
        self.savepoints = self.directory / "savepoints"
        tools = toolchain or default_toolchain()
        rest = rest_port or free_port()
        rpc = rpc_port or free_port()
        metrics = metrics_ports or (free_port(), free_port())
        cluster_settings = {**self._cluster_settings(rest, rpc, parallelism), **(settings or {})}
        self.jobmanager = JobManager(
            self.directory / "jobmanager",
            rest_port=rest,
            rpc_port=rpc,
            settings=cluster_settings,
            metrics_port=metrics[0],
            log_path=log_folder and log_folder / "jobmanager.log",
            toolchain=tools,
        )
        self.taskmanager = TaskManager(
            self.directory / "taskmanager",
            jobmanager=self.jobmanager,
            settings=cluster_settings,
            metrics_port=metrics[1],
            log_path=log_folder and log_folder / "taskmanager.log",
            toolchain=tools,
        )

    @property
    def rest_url(self) -> str:
        """Base URL of Flink's REST interface and web pages."""
        return self.jobmanager.rest_url

    @property
    def pid(self) -> int | None:
        """Process id of the JobManager."""
        return self.jobmanager.pid

    @property
    def log_path(self) -> Path:
        """Log of the JobManager; the TaskManager has its own."""
        return self.jobmanager.log_path

    @property
    def running(self) -> bool:
        """True while both processes exist."""
        return self.jobmanager.running and self.taskmanager.running

    def start(self) -> Self:
        """Start both and wait until the TaskManager has registered."""
        try:
            self.jobmanager.spawn()
            self.taskmanager.spawn()
            self.jobmanager.wait_ready()
            self.taskmanager.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both; checkpoints stay."""
        self.taskmanager.stop()
        self.jobmanager.stop()

    def kill(self) -> None:
        """kill -9 of both."""
        self.taskmanager.kill()
        self.jobmanager.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _cluster_settings(self, rest: Port, rpc: Port, parallelism: int) -> dict[str, object]:
        return {
            "jobmanager.rpc.address": LOOPBACK,
            "jobmanager.rpc.port": rpc.number,
            "jobmanager.bind-host": LOOPBACK,
            "jobmanager.memory.process.size": "1024m",
            "rest.address": LOOPBACK,
            "rest.bind-address": LOOPBACK,
            "rest.port": rest.number,
            "rest.bind-port": str(rest.number),
            "taskmanager.host": LOOPBACK,
            "taskmanager.bind-host": LOOPBACK,
            "taskmanager.numberOfTaskSlots": SLOTS,
            "taskmanager.memory.process.size": "1408m",
            # Window state is sums on the heap; nothing here uses managed memory.
            "taskmanager.memory.managed.size": "32m",
            "taskmanager.memory.network.min": "64m",
            "taskmanager.memory.network.max": "128m",
            "parallelism.default": parallelism,
            "execution.checkpointing.dir": self.checkpoints.as_uri(),
            "execution.checkpointing.savepoint-dir": self.savepoints.as_uri(),
            # After a kill -9 nothing is restored before the lost process is given up.
            "heartbeat.interval": "2 s",
            "heartbeat.timeout": "8 s",
        }
