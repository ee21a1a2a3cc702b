"""Apache Kafka: one node that is broker and controller (KRaft)."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient

from roas_local.artifacts import ArtifactSet
from roas_local.components.process import Launch, ManagedProcess, run_to_end
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

_HEAP = "-Xmx512m"
_FORMAT_SECONDS = 60.0
_PROBE_SECONDS = 3.0

# One node: every internal topic has one replica, and few partitions, so that start and recovery
# are quick. Topics are created from the contracts, never by accident.
_SETTINGS = {
    "auto.create.topics.enable": "false",
    # A broker that comes back after kill -9 waits until its former self is given up.
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
    "default.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.message.timestamp.type": "CreateTime",
    "message.max.bytes": "8388608",
    "min.insync.replicas": "1",
    "offsets.retention.minutes": "525600",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "replica.fetch.max.bytes": "8388608",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    # Owners that never come back (kill -9) block read_committed readers until their timeout has
    # passed and this check has run. Flink asks for the longest timeout that is allowed.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.max.timeout.ms": "900000",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
}

_LOG4J = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p %c{1} %m%n
"""


class KafkaBroker(ManagedProcess):
    """A real Kafka broker on the loopback interface."""

    name = "kafka"
    ready_timeout_s = 90.0
    stop_timeout_s = 30.0

    def __init__(
        self,
        directory: Path | str,
        *,
        port: Port | None = None,
        controller_port: Port | None = None,
        log_path: Path | None = None,
        toolchain: Toolchain | None = None,
    ) -> None:
        super().__init__(directory, log_path)
        self._port = port or free_port()
        self._controller_port = controller_port or free_port()
        self._toolchain = toolchain or default_toolchain()
        self._admin: AdminClient | None = None

    @property
    def bootstrap(self) -> str:
        """Value for `bootstrap.servers`."""
        return f"{LOOPBACK}:{self._port.number}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"Kafka": self._port, "Kafka's controller": self._controller_port}

    def prepare(self) -> None:
        """Write the configuration, format the storage."""
        super().prepare()
        config = self.directory / "server.properties"
        lines = [f"{key}={value}" for key, value in sorted(self._settings().items())]
        config.write_text("\n".join(lines) + "\n")
        (self.directory / "log4j2.properties").write_text(_LOG4J)
        if not (self.directory / "data" / "meta.properties").exists():
            cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # One argument: an id that begins with a dash must not look like an option.
            identity = f"--cluster-id={cluster_id}"
            arguments = ("format", "--ignore-formatted", identity, "-c", config)
            command = self._java("kafka.tools.StorageTool", "-Xmx128m", *arguments)
            run_to_end(command, self.log_path, _FORMAT_SECONDS)

    def launch(self) -> Launch:
        """The program and its arguments."""
        self._admin = None
        return self._java("kafka.Kafka", _HEAP, self.directory / "server.properties")

    def probe(self) -> bool:
        """Whether it answers as it should."""
        if self._admin is None:
            # Its own log would fill ours with refused connections until the broker is up.
            quiet = {"log_level": 0, "reconnect.backoff.max.ms": 500}
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, **quiet})
        return bool(self._admin.list_topics(timeout=_PROBE_SECONDS).brokers)

    def _settings(self) -> dict[str, str]:
        listener = f"{LOOPBACK}:{self._port.number}"
        controller = f"{LOOPBACK}:{self._controller_port.number}"
        return _SETTINGS | {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{listener},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{listener}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.directory / "data"),
        }

    def _java(self, main: str, heap: str, *arguments: str | Path) -> Launch:
        jars = self._toolchain.jars(ArtifactSet.KAFKA)
        options = [heap, "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        options.append(f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}")
        class_path = ":".join(map(str, jars))
        argv = [self._toolchain.java(), *options, "-cp", class_path, main, *arguments]
        return Launch(argv, cwd=self.directory)
