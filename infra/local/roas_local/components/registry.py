"""Apicurio Registry, which speaks the Confluent Schema Registry API."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from roas_local.components.process import Launch, ManagedProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

DEFAULT_COMPATIBILITY = "FULL_TRANSITIVE"

_API = "/apis/ccompat/v7"
_PROBE_SECONDS = 3.0


class SchemaRegistry(ManagedProcess):
    """A real registry whose schemas lie in a file, so that they survive a restart."""

    name = "registry"
    ready_timeout_s = 120.0

    def __init__(
        self,
        directory: Path | str,
        *,
        port: Port | None = None,
        log_path: Path | None = None,
        toolchain: Toolchain | None = None,
    ) -> None:
        super().__init__(directory, log_path)
        self._port = port or free_port()
        self._toolchain = toolchain or default_toolchain()

    @property
    def url(self) -> str:
        """Base URL of the Confluent API."""
        return f"http://{LOOPBACK}:{self._port.number}{_API}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"the schema registry": self._port}

    def launch(self) -> Launch:
        """The program and its arguments."""
        home = self._toolchain.registry()
        (runner,) = home.glob("*-runner.jar")
        options = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        options += ["-XX:TieredStopAtLevel=1", "-Dquarkus.banner.enabled=false"]
        options += ["-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=h2"]
        env = {
            # WRITE_DELAY=0: what was answered is on disk, also after kill -9.
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{self.directory / 'schemas'};WRITE_DELAY=0",
            "QUARKUS_HTTP_HOST": LOOPBACK,
            "QUARKUS_HTTP_PORT": str(self._port.number),
        }
        return Launch(
            [self._toolchain.java(), *options, "-jar", runner], cwd=self.directory, env=env
        )

    def probe(self) -> bool:
        """Whether it answers as it should."""
        # The default is NONE: an incompatible schema would be let in. Asking first, because each
        # change writes to the registry's storage.
        with httpx.Client(base_url=self.url, timeout=_PROBE_SECONDS) as client:
            answer = client.get("/config")
            if answer.status_code != httpx.codes.OK:
                return False
            if answer.json().get("compatibilityLevel") == DEFAULT_COMPATIBILITY:
                return True
            wanted = {"compatibility": DEFAULT_COMPATIBILITY}
            return client.put("/config", json=wanted).status_code == httpx.codes.OK
