"""One demo from a clean folder to the ledger's verdict, leaving nothing running behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError, RoasError
from roas_contracts.service import settings as service_settings
from roas_local import control, demo_report, demo_view
from roas_local.components.process import log_tail
from roas_local.demo_feed import LiveFeed, Snapshot
from roas_local.demo_traffic import Traffic, TrafficProcess
from roas_local.install import Toolchain, default_toolchain
from roas_local.layout import Layout
from roas_local.ports import LOOPBACK
from roas_local.settings import StackSettings
from roas_local.stack import StackFolders
from roas_local.state import StackState
from roas_local.up import StartProgress

_SCREEN_SECONDS = 0.5
_PIPE_WIDTH = 150
_LINE_SECONDS = 5.0
_SETTLE_SECONDS = 60.0
_QUIET_SECONDS = 3.0
_LEDGER_WAIT_SECONDS = 120


class TrafficFailedError(RoasError):
    """The producer ended with an error; the message is the end of its log."""


def run(traffic: Traffic, seconds: float | None, *, headless: bool, keep: bool) -> int:
    """Run a demo and return its exit code, which is the ledger's.

    Args:
        traffic: what is streamed.
        seconds: when to stop streaming; None: when the input ends or on Ctrl-C.
        headless: lines on stdout instead of a live screen.
        keep: keep data and logs also when all went well.

    Raises:
        MisconfigurationError: a stack is running already, a port is taken, the disk is full.
        TransientError: something can't be downloaded, started or reached.
        TrafficFailedError: the producer could not do its work.
    """
    toolchain = default_toolchain()
    folders = _clean_folders(toolchain.layout)
    os.environ.update({name: os.environ.get(name, value) for name, value in traffic.environment})
    stderr = Console(stderr=True)
    with _unwound_by_sigterm():
        with StartProgress(stderr) as progress:
            state = control.start(folders, toolchain, progress)
        try:
            code = _Session(folders, toolchain, state, traffic, headless).run(seconds)
        finally:
            stderr.print("stopping the stack")
            control.stop(folders)
    if code == exit_codes.OK and not keep:
        shutil.rmtree(folders.root, ignore_errors=True)
    else:
        stderr.print(Text(f"data and logs of this demo: {folders.root}"))
    return code


class _Session:
    """The part of a demo in which the stack is up."""

    def __init__(
        self,
        folders: StackFolders,
        toolchain: Toolchain,
        state: StackState,
        traffic: Traffic,
        headless: bool,
    ) -> None:
        settings = service_settings.load(StackSettings)
        self._environment = {**os.environ, **state.environment}
        self._python = toolchain.environment("services")
        self._traffic = traffic
        terminal = Console()
        self._headless = headless or not terminal.is_terminal
        self._console = terminal if terminal.is_terminal else Console(width=_PIPE_WIDTH)
        self._report = folders.root / "ledger.json"
        self._producer = TrafficProcess(
            self._python,
            traffic,
            directory=folders.data / "producer",
            environment=state.environment,
            health_port=settings.port("producer_health"),
            log_path=folders.log("producer"),
        )
        writer = settings.port("cache_writer_health").number
        self._feed = LiveFeed(
            state.environment["ROAS_LEDGER_REDIS_URL"],
            self._producer.metrics_url,
            f"http://{LOOPBACK}:{writer}/metrics",
        )

    def run(self, seconds: float | None) -> int:
        """Stream, watch, then ask the ledger. Returns its exit code."""
        self._say(f"streaming {self._traffic.description}; Ctrl-C ends the stream")
        with closing(self._feed):
            self._producer.spawn()
            began = time.monotonic()
            try:
                self._watch(began, seconds)
            except KeyboardInterrupt:
                self._say("interrupted: the stream ends here, the ledger follows (Ctrl-C skips it)")
            finally:
                streamed = time.monotonic() - began
                self._producer.stop()
            self._require_success()
            self._settle(began)
        return self._verify(streamed)

    def _watch(self, began: float, seconds: float | None) -> None:
        """Show the live numbers until the input ends or the time is up."""
        with self._shown(began) as show:
            while self._producer.running:
                show(self._feed.read())
                if seconds is not None and time.monotonic() - began >= seconds:
                    return
                time.sleep(_SCREEN_SECONDS)
            show(self._feed.read())

    def _settle(self, began: float) -> None:
        """Let the last windows come through: until Redis has rested for a while, bounded."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        snapshot = self._feed.read()
        written_at: int | None = None
        since = time.monotonic()
        with self._shown(began) as show:
            while time.monotonic() < deadline:
                snapshot = self._feed.read()
                show(snapshot)
                if snapshot.written_at is None or snapshot.behind:
                    since = time.monotonic()
                elif snapshot.written_at != written_at:
                    written_at, since = snapshot.written_at, time.monotonic()
                elif time.monotonic() - since >= _QUIET_SECONDS:
                    break
                time.sleep(_SCREEN_SECONDS)
        if self._headless:
            last = demo_view.screen(snapshot, time.monotonic() - began, self._traffic.description)
            self._console.print(last)

    def _verify(self, streamed_seconds: float) -> int:
        """Run the ledger in front of the user; returns its exit code."""
        self._say("the ledger reads everything again and compares")
        options = ["--wait", str(_LEDGER_WAIT_SECONDS), "--report", str(self._report)]
        sys.stdout.flush()
        code = subprocess.run(
            [self._python, "-m", "roas_ledger", *options], env=self._environment, check=False
        ).returncode
        if code in (exit_codes.OK, exit_codes.NO):
            for sentence in demo_report.sentences(self._report, streamed_seconds):
                self._say(sentence)
        return code

    def _require_success(self) -> None:
        """The producer must have ended well, by itself or when asked to."""
        if self._producer.exit_code != exit_codes.OK:
            raise TrafficFailedError(
                f"the producer failed; the end of its log:\n{log_tail(self._producer.log_path)}"
            )

    @contextmanager
    def _shown(self, began: float) -> Iterator[_Show]:
        if self._headless:
            yield _Lines(self._console, began)
            return
        with Live(console=self._console, refresh_per_second=4) as live:
            yield _Screen(live, began, self._traffic.description)

    def _say(self, sentence: str) -> None:
        self._console.print(Text(sentence), soft_wrap=True)


class _Show:
    """Takes each snapshot."""

    def __call__(self, snapshot: Snapshot) -> None:
        """Show it."""
        raise NotImplementedError


class _Lines(_Show):
    def __init__(self, console: Console, began: float) -> None:
        self._console = console
        self._began = began
        self._next = began + _LINE_SECONDS

    def __call__(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            text = demo_view.line(snapshot, now - self._began)
            self._console.print(Text(text), soft_wrap=True)


class _Screen(_Show):
    def __init__(self, live: Live, began: float, description: str) -> None:
        self._live = live
        self._began = began
        self._description = description

    def __call__(self, snapshot: Snapshot) -> None:
        elapsed = time.monotonic() - self._began
        self._live.update(demo_view.screen(snapshot, elapsed, self._description))


def _clean_folders(layout: Layout) -> StackFolders:
    """An empty state folder for the demo. Raises MisconfigurationError if a stack is running."""
    if control.running_state(StackFolders(layout.state("run"))) is not None:
        raise MisconfigurationError(
            "a stack is already running on these ports: stop it with ./roas down"
        )
    folders = StackFolders(layout.state("demo"))
    if control.running_state(folders) is not None:
        raise MisconfigurationError("a demo is already running: stop it with ./roas down")
    control.stop(folders)  # What a killed demo may have left behind.
    shutil.rmtree(folders.root, ignore_errors=True)
    return folders


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
