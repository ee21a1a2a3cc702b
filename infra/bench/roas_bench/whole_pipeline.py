"""The whole pipeline, services included, from the producer to the ledger."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from roas_bench.bench_stack import BenchStack, bench_stack
from roas_bench.cpu import cpu_seconds, resident_bytes
from roas_bench.window_sums import ends
from roas_contracts.errors import TransientError
from roas_contracts.events import AD_IMPRESSIONS, AD_METRICS_1M, AD_METRICS_5M
from roas_local.components import ManagedProcess

_LEDGER_SECONDS: Final = 7_200.0
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 60.0


@dataclass(slots=True)
class Course:
    """Resident memory of each process while something ran."""

    seconds: list[float] = field(default_factory=list)
    bytes_of: dict[str, list[int]] = field(default_factory=dict)

    def growth(self, name: str) -> float:
        """Largest in the second half over largest in the first: 1 where memory is flat."""
        values = self.bytes_of[name]
        middle = len(values) // 2
        return max(values[middle:]) / max(1, max(values[:middle] or values))

    def peak(self, name: str) -> int:
        """The largest."""
        return max(self.bytes_of[name])


class WholePipeline:
    """A running stack with ctr-stream and cache-writer."""

    def __init__(self, bench: BenchStack, services: list[ManagedProcess]) -> None:
        self.bench = bench
        stack = bench.stack
        infrastructure = (stack.kafka, stack.postgres, stack.redis, stack.registry)
        flink = (stack.flink.jobmanager, stack.flink.taskmanager)
        self.processes: dict[str, ManagedProcess] = {
            process.name: process for process in (*infrastructure, *flink, *services)
        }

    def produce(self, *arguments: str) -> dict[str, Any]:
        """Run the producer to its end and return its summary."""
        return self.bench.run_tool("roas_producer", *arguments, "--json")

    def produce_for(self, seconds: float, *arguments: str) -> dict[str, Any]:
        """Let the producer send for some time and commit what it has begun; its summary.

        Raises:
            TransientError: it ended by itself, or did not end when it was told to.
        """
        python = self.bench.tools.environment("services")
        child = subprocess.Popen(
            [python, "-m", "roas_producer", *arguments, "--json"],
            env=self.bench.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self._wait_for_first_events(child)
            out, said = child.communicate(timeout=seconds)
            raise TransientError(f"the producer ended too early: {(said or out)[-2000:]}")
        except subprocess.TimeoutExpired:
            child.terminate()
            out, said = child.communicate(timeout=_STOP_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        if child.returncode != 0:
            raise TransientError(f"the producer failed: {said[-2000:]}")
        summary: dict[str, Any] = json.loads(out)
        return summary

    def _wait_for_first_events(self, child: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + _START_SECONDS
        before = ends(self.bench.kafka, (AD_IMPRESSIONS,))
        while child.poll() is None and ends(self.bench.kafka, (AD_IMPRESSIONS,)) == before:
            if time.monotonic() > deadline:
                raise TransientError(f"the producer sent nothing within {_START_SECONDS:.0f} s")
            time.sleep(0.2)

    def wait_until_counted(self, rest_s: float = 10.0, timeout_s: float = 7_200.0) -> None:
        """Wait until everything that can close has closed and is in PostgreSQL.

        That is when neither the metrics topics nor the consumed offsets have moved for `rest_s`.

        Raises:
            TransientError: it never came to rest.
        """
        deadline, still_since = time.monotonic() + timeout_s, time.monotonic()
        before: object = None
        while time.monotonic() < deadline:
            written = ends(self.bench.kafka, (AD_METRICS_1M, AD_METRICS_5M))
            read = self._consumed()
            now = (written, read)
            if now != before or any(read.get(place, 0) < end for place, end in written.items()):
                before, still_since = now, time.monotonic()
            elif time.monotonic() - still_since > rest_s:
                return
            time.sleep(1.0)
        raise TransientError(f"the pipeline did not come to rest within {timeout_s:.0f} s")

    def _consumed(self) -> dict[tuple[str, int], int]:
        with psycopg.connect(self.bench.stack.postgres.dsn, connect_timeout=5) as connection:
            rows = connection.execute(
                "SELECT topic, partition, next_offset FROM realtime.consumed_offsets"
            ).fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def ledger(self, wait_s: int = 120) -> dict[str, Any]:
        """The ledger's whole report; `exact` says whether it is.

        Raises:
            TransientError: it could not be drawn up.
        """
        command: list[str | Path] = [self.bench.tools.environment("services")]
        command += ["-m", "roas_ledger", "--json"]
        done = subprocess.run(
            [*command, "--wait", str(wait_s)],
            env=self.bench.environment(),
            capture_output=True,
            text=True,
            timeout=_LEDGER_SECONDS,
        )
        if done.returncode not in (0, 1):
            raise TransientError(f"the ledger failed: {done.stderr.strip()[-2000:]}")
        report: dict[str, Any] = json.loads(done.stdout)
        return {**report, "exact": done.returncode == 0}

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each process so far."""
        return {n: cpu_seconds(p.pid) for n, p in self.processes.items() if p.pid is not None}

    @contextmanager
    def watched(self, every_s: float = 1.0) -> Iterator[Course]:
        """Note every process' memory while the block runs."""
        course = Course(bytes_of={name: [] for name in self.processes})
        began, ended = time.monotonic(), threading.Event()

        def look() -> None:
            while not ended.wait(every_s):
                course.seconds.append(time.monotonic() - began)
                for name, process in self.processes.items():
                    pid = process.pid
                    course.bytes_of[name].append(0 if pid is None else resident_bytes(pid))

        thread = threading.Thread(target=look, name="memory", daemon=True)
        thread.start()
        try:
            yield course
        finally:
            ended.set()
            thread.join()


@contextmanager
def whole_pipeline(name: str, **settings: str) -> Iterator[WholePipeline]:
    """Start everything; stop and remove it after.

    Args:
        name: of the benchmark.
        settings: environment variables of the services, such as ROAS_CTR_STREAM_PARALLELISM.
    """
    before = {key: os.environ.get(key) for key in settings}
    os.environ.update(settings)
    try:
        with bench_stack(name, flink=True) as bench, ExitStack() as running:
            services = [running.enter_context(service) for service in bench.stack.services()]
            yield WholePipeline(bench, services)
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
