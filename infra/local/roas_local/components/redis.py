"""Valkey, which speaks Redis' protocol."""

from collections.abc import Mapping
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from roas_local.components.process import Launch, ManagedProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import LOOPBACK, Port, free_port

_PROBE_SECONDS = 3.0
_DEFAULT_MAX_MEMORY = "256mb"


class RedisServer(ManagedProcess):
    """A real server with an append-only file and bounded memory."""

    name = "redis"

    def __init__(
        self,
        directory: Path | str,
        *,
        port: Port | None = None,
        log_path: Path | None = None,
        toolchain: Toolchain | None = None,
        max_memory: str = _DEFAULT_MAX_MEMORY,
    ) -> None:
        super().__init__(directory, log_path)
        self._port = port or free_port()
        self._toolchain = toolchain or default_toolchain()
        self._max_memory = max_memory

    @property
    def url(self) -> str:
        """Connection URL of database 0."""
        return f"redis://{LOOPBACK}:{self._port.number}/0"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"Redis": self._port}

    def launch(self) -> Launch:
        """The program and its arguments."""
        settings = {
            "bind": LOOPBACK,
            "port": str(self._port.number),
            "dir": str(self.directory),
            "appendonly": "yes",
            "save": "",
            "maxmemory": self._max_memory,
            # Everything cached has a TTL, what has none (pointers, freshness) must stay.
            "maxmemory-policy": "volatile-ttl",
        }
        argv: list[str | Path] = [self._toolchain.redis_server()]
        for key, value in settings.items():
            argv += [f"--{key}", value]
        return Launch(argv, cwd=self.directory)

    def probe(self) -> bool:
        """Whether it answers as it should."""
        # One try: the caller repeats it. (The client's own retries would hold the caller up.)
        options = {"socket_timeout": _PROBE_SECONDS, "socket_connect_timeout": _PROBE_SECONDS}
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, retry=once, **options) as client:
            # While the append-only file is read, ping is answered with an error.
            return bool(client.ping())
