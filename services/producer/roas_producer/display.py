"""What a person sees while it runs, on stderr, and at the end, on stdout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from roas_contracts.rules import EARLIEST_MS

_RATE_SECONDS: Final = 5.0


def utc(millis: int | None) -> str | None:
    """A time for a person: ISO 8601 in UTC; None where there is none."""
    if millis is None or millis < EARLIEST_MS:
        return None
    moment = datetime.fromtimestamp(millis / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Rate:
    """Events a second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def add(self, total: int) -> float:
        """Note a total; the rate since a few seconds ago."""
        now = time.monotonic()
        self._seen.append((now, total))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.pop(0)
        then, before = self._seen[0]
        passed = now - then
        return (total - before) / passed if passed > 0 else 0.0


Update = Callable[[int, int, int], None]
"""Told of rows, events and the event clock (ms)."""


@contextmanager
def row_progress(name: str, total_rows: int | None, shown: bool) -> Iterator[Update]:
    """A bar with rows, events a second and the event clock, where a person watches."""
    if not shown:
        yield lambda rows, events, clock_ms: None
        return
    rate = Rate()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows  {task.fields[rate]:>9,.0f} events/s  {task.fields[clock]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(name, total=total_rows, rate=0.0, clock="")

        def update(rows: int, events: int, clock_ms: int) -> None:
            progress.update(task, completed=rows, rate=rate.add(events), clock=utc(clock_ms) or "")

        yield update


@contextmanager
def hash_progress(
    name: str, total_bytes: int | None, shown: bool
) -> Iterator[Callable[[int], None]]:
    """A bar while a large file is hashed."""
    if not shown or total_bytes is None:
        yield lambda _: None
        return
    with Progress(
        TextColumn("reading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(name, total=total_bytes)
        yield lambda count: progress.advance(task, count)
