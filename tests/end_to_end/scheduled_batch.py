"""What the batch needs and no more (no Flink, no Redis), with the real Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from roas_airflow.backfill import Run
from roas_airflow.client import AirflowClient
from roas_airflow.following import follow
from roas_airflow.settings import Settings
from roas_local.components import Airflow
from roas_local.components.airflow_home import DATABASE
from roas_local.install import default_toolchain
from roas_local.ports import free_port
from roas_local.provisioning import provision
from roas_local.settings import StackSettings
from roas_local.stack import Stack, StackFolders

RUN_SECONDS = 600.0
"""The longest wait for a DAG and what follows from it, on a machine that is three times slower."""


@dataclass(frozen=True)
class BatchStack:
    """Kafka, registry, PostgreSQL and Airflow, running."""

    stack: Stack
    airflow: Airflow
    environment: dict[str, str]

    def run_tool(self, module: str, *arguments: str) -> dict[str, Any]:
        """One of our command lines, run to its good end; its JSON answer."""
        done = subprocess.run(
            [default_toolchain().environment("services"), "-m", module, *arguments, "--json"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def client(self) -> AirflowClient:
        """A session with Airflow's REST interface."""
        settings = {
            name: value
            for name in Settings.model_fields
            if (value := self.environment.get(f"ROAS_AIRFLOW_{name.upper()}")) is not None
        }
        return AirflowClient(Settings.model_validate(settings))

    def follow(self, client: AirflowClient, run: Run) -> list[Run]:
        """Wait for a run and all that follow from it."""
        return follow(client, run, timeout_seconds=RUN_SECONDS, changed=lambda _: None)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the stack's database."""
        with psycopg.connect(self.stack.postgres.dsn) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tries(self, run: Run, task_id: str) -> list[tuple[str, int]]:
        """State and number of tries of a task's instances, in the order of their map indexes."""
        database = self.stack.postgres.dsn.rpartition("/")[0] + f"/{DATABASE}"
        with psycopg.connect(database) as connection:
            return connection.execute(
                "SELECT state, try_number FROM task_instance"
                " WHERE dag_id = %s AND run_id = %s AND task_id = %s ORDER BY map_index",
                [run.dag_id, run.run_id, task_id],
            ).fetchall()

    def task_of(self, *words: str) -> psutil.Process:
        """The task whose tool has these words in its command line, as soon as there is one."""
        scheduler = psutil.Process(self.airflow.scheduler.pid)
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            for process in scheduler.children(recursive=True):
                with suppress(psutil.Error):
                    task = process.parent()
                    if task is not None and set(words) <= set(process.cmdline()):
                        return task
            time.sleep(0.01)
        raise AssertionError(f"no task runs {' '.join(words)} within {RUN_SECONDS:.0f} s")


@contextmanager
def batch_stack(folder: Path, settings: dict[str, str]) -> Iterator[BatchStack]:
    """Start everything in a folder, on ports of its own; the settings are those of the DAGs."""
    tools = default_toolchain()
    ports: dict[str, Any] = {name: free_port().number for name in StackSettings.port_fields()}
    stack = Stack(StackFolders(folder), StackSettings(**ports), tools)
    with ExitStack() as running:
        for component in (stack.postgres, stack.kafka, stack.registry):
            running.enter_context(component)
        environment = stack.environment() | settings
        python, migrations = tools.environment("services"), tools.layout.repository
        provision(migrations, python, environment, stack.postgres.dsn, lambda _: None)
        airflow = stack.batch(settings)
        airflow.prepare()
        running.enter_context(airflow)
        yield BatchStack(stack, airflow, environment)
