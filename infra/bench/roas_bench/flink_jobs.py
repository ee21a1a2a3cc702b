"""Running a bounded job on the benchmark's Flink cluster, and what its TaskManager used for it."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import httpx

from roas_bench import plain_sql
from roas_bench.bench_stack import BenchStack
from roas_bench.cpu import Usage, measured
from roas_contracts.errors import TransientError
from roas_local.artifacts import ArtifactSet

_POLL_SECONDS: Final = 0.2
_SUBMISSION_SECONDS: Final = 300.0

# As the stream's own: see roas_ctr_stream.submission.
_SQL_OPTIONS: Final = {
    "pipeline.name": "plain-sql",
    "pipeline.object-reuse": "true",
    "pipeline.auto-watermark-interval": "100 ms",
    "parallelism.default": "2",
    "execution.checkpointing.interval": "1000 ms",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "state.backend.type": "hashmap",
    "table.local-time-zone": "UTC",
}


def run_stream(bench: BenchStack, timeout_s: float, **settings: str) -> Usage:
    """Run our job over what is in Kafka now.

    Args:
        bench: its Flink cluster runs.
        timeout_s: for the job.
        settings: of ctr-stream, such as KAFKA_BOOTSTRAP, that differ from the stack's.

    Raises:
        TransientError: the job failed or did not end in time.
    """
    job_id = uuid.uuid4().hex
    overrides = {f"ROAS_CTR_STREAM_{name}": value for name, value in settings.items()}

    def submit() -> str:
        _run(
            bench,
            ["-m", "roas_ctr_stream", "submit", "--job-id", job_id, "--bounded"],
            overrides,
        )
        return job_id

    return _measured_run(bench, submit, timeout_s)


def run_plain_sql(bench: BenchStack, timeout_s: float) -> Usage:
    """Run the same in plain Flink SQL. Raises TransientError as `run_stream` does."""
    wanted = {
        "url": bench.stack.flink.rest_url,
        "jars": [str(jar) for jar in bench.tools.jars(ArtifactSet.PLAIN_SQL)],
        "options": {
            **_SQL_OPTIONS,
            "execution.checkpointing.dir": (bench.stack.flink.directory / "sql").as_uri(),
        },
        "sql": plain_sql.statements(bench.kafka, bench.registry),
    }

    def submit() -> str:
        printed = _run(bench, ["-m", "roas_bench.plain_sql_job"], {}, json.dumps(wanted))
        job: str = json.loads(printed.splitlines()[-1])["job"]
        return job

    return _measured_run(bench, submit, timeout_s)


def _run(
    bench: BenchStack, arguments: list[str], overrides: dict[str, str], stdin: str = ""
) -> str:
    """Run a Python module in Flink's environment to its end; its stdout."""
    python = bench.tools.environment("flink")
    try:
        done = subprocess.run(
            [python, *arguments],
            env={**bench.environment(), **overrides},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SUBMISSION_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise TransientError(f"{arguments[1]} did not end in time") from None
    if done.returncode != 0:
        raise TransientError(f"{arguments[1]} failed: {done.stderr.strip()[-3000:]}")
    return done.stdout


def _measured_run(bench: BenchStack, submit: Callable[[], str], timeout_s: float) -> Usage:
    pid = bench.stack.flink.taskmanager.pid
    if pid is None:
        raise TransientError("the TaskManager is not running")
    with measured(pid) as usage:
        _wait_until_finished(bench, submit(), timeout_s)
    return usage


def _wait_until_finished(bench: BenchStack, job_id: str, timeout_s: float) -> None:
    url = f"{bench.stack.flink.rest_url}/jobs/{job_id}"
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            state = httpx.get(url, timeout=5).json().get("state")
            if state == "FINISHED":
                return
            if state in ("FAILED", "CANCELED"):
                found: Any = httpx.get(f"{url}/exceptions", timeout=5).json()
                raise TransientError(f"the job {state}: {str(found)[:3000]}")
        time.sleep(_POLL_SECONDS)
    httpx.patch(url, params={"mode": "cancel"}, timeout=5)
    raise TransientError(f"the job did not end within {timeout_s:.0f} s")
