"""One of our own services as a process."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from roas_local.components.process import Launch, ManagedProcess
from roas_local.ports import LOOPBACK, Port

_PROBE_SECONDS = 3.0


class ServiceProcess(ManagedProcess):
    """`<python> -m <module> …`, ready when its `/readyz` says so."""

    # On two busy cores submitting the Flink job alone has taken a minute and a half.
    ready_timeout_s = 240.0
    stop_timeout_s = 30.0

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        directory: Path | str,
        env: Mapping[str, str],
        health_port: Port,
        log_path: Path | None = None,
    ) -> None:
        self.name = name
        super().__init__(directory, log_path)
        self._argv = tuple(argv)
        self._env = dict(env)
        self._health_port = health_port

    @property
    def health_url(self) -> str:
        """Base URL of `/healthz`, `/readyz` and `/metrics`."""
        return f"http://{LOOPBACK}:{self._health_port.number}"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {f"{self.name}'s health": self._health_port}

    def launch(self) -> Launch:
        """The program and its arguments."""
        return Launch(self._argv, cwd=self.directory, env=self._env)

    def probe(self) -> bool:
        """Whether it answers as it should."""
        answer = httpx.get(f"{self.health_url}/readyz", timeout=_PROBE_SECONDS)
        return answer.status_code == httpx.codes.OK
