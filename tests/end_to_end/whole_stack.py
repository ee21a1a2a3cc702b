"""The whole stack for a test: started, asked, damaged."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from roas_contracts.service import settings as service_settings
from roas_local import control
from roas_local.demo_traffic import Traffic, TrafficProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import free_port
from roas_local.settings import StackSettings
from roas_local.stack import StackFolders
from roas_local.state import UnitState

# The supervisor lives on when the object that started it is gone: Python warns about that.
BACKGROUND_SUPERVISOR = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


def wait_until(what: str, condition: Callable[[], bool], seconds: float) -> None:
    """Wait, bounded, for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class WholeStack:
    """A running stack."""

    folders: StackFolders
    toolchain: Toolchain
    environment: Mapping[str, str]
    settings: StackSettings

    @property
    def dsn(self) -> str:
        return self.environment["ROAS_LEDGER_POSTGRES_DSN"]

    @property
    def redis_url(self) -> str:
        return self.environment["ROAS_LEDGER_REDIS_URL"]

    @property
    def bootstrap(self) -> str:
        return self.environment["ROAS_LEDGER_KAFKA_BOOTSTRAP"]

    def dlq(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of the verbs of `./roas dlq`, run to its end."""
        return subprocess.run(
            [self.toolchain.environment("services"), "-m", "roas_dlq_handler", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    @staticmethod
    def answer(done: subprocess.CompletedProcess[str]) -> Any:
        """What a verb said as JSON."""
        return json.loads(done.stdout)

    def producer(self, *arguments: str, **settings: str) -> TrafficProcess:
        """A producer; starting it again with the same arguments goes on where it was."""
        return TrafficProcess(
            self.toolchain.environment("services"),
            Traffic(arguments, "a test"),
            directory=self.folders.data / "producer",
            environment={**self.environment, **settings},
            health_port=self.settings.port("producer_health"),
            log_path=self.folders.log("producer"),
        )

    def ledger(self, wait_seconds: int) -> dict[str, Any]:
        """The ledger's report; it has to be exact."""
        done = subprocess.run(
            [
                self.toolchain.environment("services"),
                *("-m", "roas_ledger", "--json", "--wait", str(wait_seconds)),
            ],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=wait_seconds + 180,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["differences"] == []
        assert done.returncode == 0
        return report

    def unit(self, name: str) -> UnitState:
        """What the supervisor says about one process."""
        state = control.running_state(self.folders)
        assert state is not None
        return next(unit for unit in state.units if unit.name == name)

    def process(self, name: str) -> psutil.Process:
        found = self.unit(name).process
        assert found is not None
        process = found.process()
        assert process is not None
        return process

    def log(self, name: str) -> str:
        return Path(self.folders.log(name)).read_text(errors="replace")


@contextmanager
def started(folder: Path, settings: Mapping[str, str]) -> Iterator[WholeStack]:
    """A stack in a folder, on ports of its own; the settings are those of its start."""
    folders = StackFolders(folder)
    with pytest.MonkeyPatch.context() as environment:
        for name in StackSettings.port_fields():
            environment.setenv(f"ROAS_LOCAL_{name.upper()}", str(free_port().number))
        for name, value in settings.items():
            environment.setenv(name, value)
        stack_settings = service_settings.load(StackSettings)
        toolchain = default_toolchain()
        state = control.start(folders, toolchain)
    try:
        yield WholeStack(folders, toolchain, state.environment, stack_settings)
    finally:
        control.stop(folders)
