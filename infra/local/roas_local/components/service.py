"""One of our own services as a process."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from roas_local.components.process import Launch, ManagedProcess
from roas_local.ports import LOOPBACK, Port

_PROBE_SECONDS = 3.0


def write_own_settings(path: Path, settings: Mapping[str, str]) -> None:
    """What a service reads at its next start. Owner only: there may be a password in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(dict(settings), indent=1) + "\n")
    unfinished.replace(path)


class ServiceProcess(ManagedProcess):
    """`<python> -m <module> …`, ready when its `/readyz` says so.

    `own_settings` is a JSON object of environment variables that is read at each start and wins
    over `env`: so can another release of one service be started in a running stack.
    """

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
        own_settings: Path | None = None,
    ) -> None:
        self.name = name
        super().__init__(directory, log_path)
        self._argv = tuple(argv)
        self._env = dict(env)
        self._own_settings = own_settings
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
        own: dict[str, str] = {}
        if self._own_settings is not None and self._own_settings.is_file():
            own = json.loads(self._own_settings.read_text())
        return Launch(self._argv, cwd=self.directory, env={**self._env, **own})

    def probe(self) -> bool:
        """Whether it answers as it should."""
        answer = httpx.get(f"{self.health_url}/readyz", timeout=_PROBE_SECONDS)
        return answer.status_code == httpx.codes.OK
