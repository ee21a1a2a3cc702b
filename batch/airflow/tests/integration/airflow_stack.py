"""The real Airflow on the real PostgreSQL, with stand-ins for the tools that its tasks start."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import stand_in_tool

from roas_airflow.backfill import Run
from roas_airflow.client import AirflowClient
from roas_airflow.following import follow
from roas_airflow.settings import Settings
from roas_local.components import Airflow, PostgresServer
from roas_local.components.airflow_home import DATABASE

T = TypeVar("T")

PATIENCE_SECONDS = 400.0
"""The longest wait, on a machine that is three times slower."""


@dataclass(frozen=True)
class AirflowStack:
    """Running Airflow."""

    airflow: Airflow
    postgres: PostgresServer
    folder: Path
    client: AirflowClient

    def answer(self, *answers: dict[str, Any]) -> None:
        """How the tools answer from now on; what they were called with before is forgotten."""
        (self.folder / "answers.json").write_text(json.dumps(answers))
        (self.folder / "calls.jsonl").write_text("")

    def calls(self, *words: str) -> list[list[str]]:
        """Calls of the tools that have these words, in order, without `--json`."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        called = [json.loads(line)["call"] for line in lines]
        return [
            [word for word in call if word != "--json"]
            for call in called
            if set(words) <= set(call)
        ]

    def run(self, dag_id: str, days: Sequence[str] = ()) -> dict[str, Run]:
        """Start a DAG and follow it and what it starts to the end: runs by DAG."""
        first = self.client.trigger(dag_id, days)
        return self.follow(first)

    def follow(self, first: Run) -> dict[str, Run]:
        """Follow a run and what it starts to the end: runs by DAG."""
        runs = follow(self.client, first, timeout_seconds=PATIENCE_SECONDS, changed=lambda _: None)
        return {run.dag_id: run for run in runs}

    def tries(self, run: Run, task_id: str) -> list[tuple[str, int]]:
        """State and number of tries of a task's instances, in the order of their map indexes."""
        database = self.postgres.dsn.rpartition("/")[0] + f"/{DATABASE}"
        with psycopg.connect(database) as connection:
            return connection.execute(
                "SELECT state, try_number FROM task_instance"
                " WHERE dag_id = %s AND run_id = %s AND task_id = %s ORDER BY map_index",
                [run.dag_id, run.run_id, task_id],
            ).fetchall()

    def tool_at_work(self, *words: str) -> psutil.Process:
        """The first tool that was called with these words, as soon as it has been."""

        def find() -> psutil.Process | None:
            for line in (self.folder / "calls.jsonl").read_text().splitlines():
                called = json.loads(line)
                if set(words) <= set(called["call"]):
                    return psutil.Process(called["pid"])
            return None

        return wait_for(f"a task runs {' '.join(words)}", find)


def wait_for(what: str, find: Callable[[], T | None]) -> T:
    """Wait, bounded, for something to be there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := find()) is None:
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.02)
    return found


@contextmanager
def airflow_stack(folder: Path) -> Iterator[AirflowStack]:
    """Start PostgreSQL and Airflow in a folder, on ports of their own."""
    tools = folder / "tools"
    tools.mkdir()
    command = [sys.executable, str(Path(stand_in_tool.__file__)), str(tools)]
    env = {
        "PYTHONPATH": ":".join(path for path in sys.path if path),
        "ROAS_DAGS_BATCH_COMMAND": json.dumps([*command, "batch"]),
        "ROAS_DAGS_DBT_COMMAND": json.dumps([*command, "dbt"]),
        # Nothing by the clock; retries at once.
        "ROAS_DAGS_INGEST_SCHEDULE": "",
        "ROAS_DAGS_MAINTAIN_SCHEDULE": "",
        "ROAS_DAGS_RETRIES": "2",
        "ROAS_DAGS_RETRY_DELAY_SECONDS": "0.1",
        "ROAS_DAGS_TASK_TIMEOUT_SECONDS": "60",
    }
    with PostgresServer(folder / "postgres") as postgres:
        airflow = Airflow(folder / "airflow", database=postgres.dsn, env=env, workers=2)
        airflow.prepare()
        with airflow:
            settings = Settings(
                home=airflow.home.folder,
                url=airflow.api.url,
                passwords=airflow.home.passwords,
                python=Path(sys.executable),
            )
            with AirflowClient(settings) as client:
                yield AirflowStack(airflow, postgres, tools, client)
