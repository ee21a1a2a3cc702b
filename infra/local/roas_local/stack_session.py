"""A stack of its own for one command (`demo`, `chaos`): from a clean folder to nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service import settings as service_settings
from roas_local import control
from roas_local.demo_feed import LiveFeed, Snapshot
from roas_local.demo_traffic import Traffic, TrafficProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.layout import STACKS
from roas_local.ports import LOOPBACK
from roas_local.settings import StackSettings
from roas_local.stack import StackFolders
from roas_local.state import StackState
from roas_local.up import StartProgress

_SETTLE_SECONDS = 60.0
_QUIET_SECONDS = 3.0
_POLL_SECONDS = 0.5
_LEDGER_WAIT_SECONDS = 120


@dataclass(frozen=True)
class StackSession:
    """A running stack that belongs to one command."""

    folders: StackFolders
    toolchain: Toolchain
    state: StackState
    settings: StackSettings

    def producer(self, traffic: Traffic) -> TrafficProcess:
        """The producer of some traffic; starting it again goes on where it was."""
        return TrafficProcess(
            self.toolchain.environment("services"),
            traffic,
            directory=self.folders.data / "producer",
            environment=self.state.environment,
            health_port=self.settings.port("producer_health"),
            log_path=self.folders.log("producer"),
        )

    def feed(self, producer: TrafficProcess) -> LiveFeed:
        """The live numbers; close it."""
        writer = self.settings.port("cache_writer_health").number
        return LiveFeed(
            self.state.environment["ROAS_LEDGER_REDIS_URL"],
            producer.metrics_url,
            f"http://{LOOPBACK}:{writer}/metrics",
        )

    def verify(self, report: Path, *, quiet: bool = False) -> int:
        """Run the ledger in front of the user, or quietly; returns its exit code.

        Args:
            report: where its JSON report goes.
            quiet: keep its table from stdout.
        """
        options = ["--wait", str(_LEDGER_WAIT_SECONDS), "--report", str(report)]
        sys.stdout.flush()
        return subprocess.run(
            [self.toolchain.environment("services"), "-m", "roas_ledger", *options],
            env={**os.environ, **self.state.environment},
            stdout=subprocess.DEVNULL if quiet else None,
            check=False,
        ).returncode


@contextmanager
def own_stack(folders: StackFolders, traffic: Traffic, stderr: Console) -> Iterator[StackSession]:
    """A stack in an empty state folder, stopped whatever happens; SIGTERM stops it, too.

    Args:
        folders: its state folder; what is in it is removed.
        traffic: what will be streamed: its settings for the services hold from the start.
        stderr: where its start and stop are told.

    Raises:
        MisconfigurationError: a stack is running already, a port is taken, the disk is full.
        TransientError: something can't be downloaded, started or reached.
    """
    _empty(folders)
    toolchain = default_toolchain()
    os.environ.update({key: os.environ.get(key, value) for key, value in traffic.environment})
    with _unwound_by_sigterm():
        with StartProgress(stderr) as progress:
            state = control.start(folders, toolchain, progress)
        try:
            settings = service_settings.load(StackSettings)
            yield StackSession(folders, toolchain, state, settings)
        finally:
            stderr.print("stopping the stack")
            control.stop(folders)


def settle(feed: LiveFeed, show: Callable[[Snapshot], object]) -> Snapshot:
    """Let the last windows come through: until Redis has rested for a while, bounded."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    snapshot = feed.read()
    written_at: int | None = None
    since = time.monotonic()
    while time.monotonic() < deadline:
        snapshot = feed.read()
        show(snapshot)
        if snapshot.written_at is None or snapshot.behind:
            since = time.monotonic()
        elif snapshot.written_at != written_at:
            written_at, since = snapshot.written_at, time.monotonic()
        elif time.monotonic() - since >= _QUIET_SECONDS:
            break
        time.sleep(_POLL_SECONDS)
    return snapshot


def _empty(folders: StackFolders) -> None:
    """Remove a state folder. Raises MisconfigurationError if it or one beside it is in use."""
    for name in STACKS:
        beside = StackFolders(folders.root.parent / name)
        if control.running_state(beside) is not None:
            raise MisconfigurationError(
                f"a stack is already running in {beside.root}: stop it with ./roas down"
            )
    control.stop(folders)  # What a killed run may have left behind.
    shutil.rmtree(folders.root, ignore_errors=True)


@contextmanager
def _unwound_by_sigterm() -> Iterator[None]:
    """SIGTERM ends this process by way of its clean-up, not at once."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
