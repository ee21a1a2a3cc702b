"""A real PostgreSQL with raw days in it, and the dbt command line on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from raw_days import World, load

WAIT_SECONDS = 120.0
DAILY = ("campaign_daily", "placement_daily", "audience_daily")
KEYS = {
    "campaign_daily": ("day", "campaign_id", "source", "currency"),
    "placement_daily": ("day", "placement_type", "placement_id", "source", "currency"),
    "audience_daily": (
        *("day", "device_type", "connection_type", "placement_type", "source", "currency"),
    ),
    "ctr_by_hour": ("day", "hour_of_day", "dimension", "value"),
}


def wait_until(what: str, condition: Callable[[], Any]) -> None:
    """Wait for a condition; fails, saying what was awaited, after a bound."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {WAIT_SECONDS:.0f} s in vain until {what}")
        time.sleep(0.02)


@dataclass(slots=True)
class Marts:
    """What is in raw, and how to build and read the marts."""

    dsn: str
    program: Path
    state: Path
    world: World = field(default_factory=dict)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True)

    def restate(self, days: World) -> None:
        """Write these days into raw, whole, in place of what it has of them."""
        self.world |= days
        with self.connect() as connection:
            load(connection, days)

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "ROAS_DBT_POSTGRES_DSN": self.dsn,
            "ROAS_DBT_PROGRAM": str(self.program),
            "ROAS_DBT_STATE": str(self.state),
            **changes,
        }

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "roas_dbt", *arguments],
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def build(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and report."""
        done = self.run("build", "--json", *arguments)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def build_all_well(self, *arguments: str) -> dict[str, Any]:
        exit_code, report = self.build(*arguments)
        assert exit_code == 0, report["failed"]
        assert report["warned"] == []
        return report

    @contextmanager
    def building(self) -> Iterator[subprocess.Popen[str]]:
        """A build in a process group of its own, killed in the end."""
        child = subprocess.Popen(
            [sys.executable, "-m", "roas_dbt", "build"],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def stale(self) -> list[str]:
        done = self.run("stale", "--json")
        assert done.returncode == 0, done.stderr
        days: list[str] = json.loads(done.stdout)["days"]
        return days

    def rows(self, view: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """A read interface by its key."""
        key = KEYS[view]
        with self.connect() as connection:
            cursor = connection.execute(f"SELECT * FROM marts_v1.{view}".encode())
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            found = {}
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                found[tuple(row.pop(name) for name in key)] = row
            assert len(found) == cursor.rowcount
        return found

    def content(self) -> dict[str, Any]:
        """Every row of every mart."""
        return {view: self.rows(view) for view in KEYS}

    def row_versions(self, days: Sequence[date]) -> list[tuple[Any, ...]]:
        """Which transaction wrote each row of the daily marts: changes when a row is rewritten."""
        with self.connect() as connection:
            return [
                row
                for table in DAILY
                for row in connection.execute(
                    f"SELECT '{table}', ctid, xmin FROM marts.{table}"
                    " WHERE day = ANY(%s) ORDER BY ctid".encode(),
                    (list(days),),
                )
            ]
