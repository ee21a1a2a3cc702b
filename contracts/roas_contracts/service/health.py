"""/healthz, /readyz and /metrics over HTTP, in a thread beside the work."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from roas_contracts.errors import MisconfigurationError

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a service can do its work now, and what a person needs to know when it can't."""

    ready: bool
    detail: Mapping[str, object] = field(default_factory=dict)


class HealthServer:
    """Serves a process's health. A context manager.

    - `/healthz`: 200 while the process lives (it answers from a thread of its own, so that a
      long poll in the main loop is not taken for a hang).
    - `/readyz`: 200 when `readiness` says so, else 503; JSON `{"ready": …, …detail}`.
    - `/metrics`: Prometheus.

    Args:
        port: where to listen; 0 turns the server off.
        readiness: called for each `/readyz`, in the server's thread: it must be quick and must
            not touch what is not thread-safe. If it raises, the answer is 503 with the reason.
        host: interface; a container needs 0.0.0.0.
        registry: the Prometheus registry to show.

    Raises:
        MisconfigurationError: the port is taken, or not ours to open.
    """

    def __init__(
        self,
        port: int,
        readiness: Callable[[], Readiness],
        *,
        host: str = "127.0.0.1",
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.port = port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        if port == 0:
            return
        try:
            self._server = _Server((host, port), _handler(readiness, registry))
        except OSError as error:
            raise MisconfigurationError(
                f"the health port {host}:{port} can't be opened ({error.strerror}): choose "
                "another with the service's ROAS_…_HEALTH_PORT, 0 turns it off"
            ) from error

    def __enter__(self) -> Self:
        if self._server is not None:
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(0.1,), name="health", daemon=True
            )
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            if self._thread is not None:
                self._server.shutdown()
                self._thread.join(timeout=5)
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _handler(
    readiness: Callable[[], Readiness], registry: CollectorRegistry
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            path = self.path.partition("?")[0]
            if path == "/healthz":
                self._answer(200, _JSON, b'{"status": "alive"}\n')
            elif path == "/readyz":
                now = _ask(readiness)
                body = json.dumps({"ready": now.ready, **now.detail}, default=str) + "\n"
                self._answer(200 if now.ready else 503, _JSON, body.encode())
            elif path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._answer(404, _JSON, b'{"paths": ["/healthz", "/readyz", "/metrics"]}\n')

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds: they are not worth a line."""

    return Handler


def _ask(readiness: Callable[[], Readiness]) -> Readiness:
    try:
        return readiness()
    except Exception as error:  # A broken check must read as "not ready", not as no answer.
        structlog.get_logger("roas_contracts.health").warning(
            "readiness check failed", exc_info=True
        )
        return Readiness(False, {"error": f"{type(error).__name__}: {error}"})
