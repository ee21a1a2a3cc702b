"""The health server, asked over HTTP, and the stop signal, sent as a signal."""

import os
import signal
import socket
import threading
import time

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service.health import HealthServer, Readiness
from roas_contracts.service.stop import StopSignal


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(server: HealthServer, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=10)


def test_alive_ready_and_metrics() -> None:
    registry = CollectorRegistry()
    Counter("rows", "Rows.", registry=registry).inc(3)
    state = Readiness(True, {"lag": 7})
    with HealthServer(free_port(), lambda: state, registry=registry) as server:
        assert get(server, "/healthz").status_code == 200

        ready = get(server, "/readyz?verbose=1")
        assert ready.status_code == 200
        assert ready.json() == {"ready": True, "lag": 7}

        metrics = get(server, "/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        assert "rows_total 3.0" in metrics.text

        assert get(server, "/nope").status_code == 404

        state = Readiness(False, {"reason": "warming"})
        not_ready = get(server, "/readyz")
        assert not_ready.status_code == 503
        assert not_ready.json() == {"ready": False, "reason": "warming"}


def test_a_broken_check_reads_as_not_ready() -> None:
    def broken() -> Readiness:
        raise RuntimeError("no connection")

    with HealthServer(free_port(), broken) as server:
        answer = get(server, "/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "error": "RuntimeError: no connection"}
        assert get(server, "/healthz").status_code == 200


def test_port_0_is_off() -> None:
    with HealthServer(0, lambda: Readiness(True)) as server:
        assert server.port == 0


def test_the_port_is_free_again_afterwards() -> None:
    port = free_port()
    for _ in range(2):
        with HealthServer(port, lambda: Readiness(True)) as server:
            assert get(server, "/healthz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        get(server, "/healthz")


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MisconfigurationError, match=f"{port}.*Address already in use"):
            HealthServer(port, lambda: Readiness(True))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopSignal() as stop:
        assert not stop.is_set()
        assert not stop.wait(0.01)
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        started = time.monotonic()
        assert stop.wait(30)
        assert time.monotonic() - started < 10
        assert stop.is_set()
        assert stop.wait(30), "a stop stays"
        assert signal.getsignal(number) == before, "the second signal has its usual effect"
    assert signal.getsignal(number) == before


def test_another_thread_can_stop_it() -> None:
    with StopSignal() as stop:
        threading.Timer(0.05, stop.set).start()
        assert stop.wait(30)


def test_stopping_what_is_over_does_nothing() -> None:
    with StopSignal() as stop:
        pass
    stop.set()
    assert stop.is_set()


def test_many_threads_can_wait() -> None:
    with StopSignal() as stop:
        results: list[bool] = []

        def wait() -> None:
            results.append(stop.wait(30))

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
        assert results == [True] * 4
