"""One demo from a clean folder to the ledger's verdict, leaving nothing running behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from roas_contracts import exit_codes
from roas_contracts.errors import RoasError
from roas_local import demo_report, demo_view
from roas_local.components.process import log_tail
from roas_local.demo_feed import Snapshot
from roas_local.demo_traffic import Traffic
from roas_local.layout import current
from roas_local.stack import StackFolders
from roas_local.stack_session import StackSession, own_stack, settle

_SCREEN_SECONDS = 0.5
_PIPE_WIDTH = 150
_LINE_SECONDS = 5.0


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
    stderr = Console(stderr=True)
    folder = current().state("demo")
    with own_stack(StackFolders(folder), traffic, stderr) as session:
        code = _Demo(session, traffic, headless).run(seconds)
    if code == exit_codes.OK and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        stderr.print(Text(f"data and logs of this demo: {folder}"))
    return code


class _Demo:
    """The part of a demo in which the stack is up."""

    def __init__(self, session: StackSession, traffic: Traffic, headless: bool) -> None:
        self._session = session
        self._traffic = traffic
        terminal = Console()
        self._headless = headless or not terminal.is_terminal
        self._console = terminal if terminal.is_terminal else Console(width=_PIPE_WIDTH)
        self._report = session.folders.root / "ledger.json"
        self._producer = session.producer(traffic)
        self._feed = session.feed(self._producer)

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
        with self._shown(began) as show:
            snapshot = settle(self._feed, show)
        if self._headless:
            last = demo_view.screen(snapshot, time.monotonic() - began, self._traffic.description)
            self._console.print(last)

    def _verify(self, streamed_seconds: float) -> int:
        """Run the ledger in front of the user; returns its exit code."""
        self._say("the ledger reads everything again and compares")
        code = self._session.verify(self._report)
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
