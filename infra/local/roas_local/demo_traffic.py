"""What the demo streams: how much, how fast, and the producer process that sends it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from roas_local.components import ManagedProcess
from roas_local.components.process import Launch
from roas_local.ports import LOOPBACK, Port

IMPRESSIONS_PER_SECOND = 10_000
"""Generated impressions a second of wall clock; clicks and conversions come on top."""

DEFAULT_SPEED = 120.0
"""Event time runs so many times faster: a 5-minute window closes every 2.5 seconds."""

_ENDLESS_HOURS = 240
# Conversions come hours after their impressions: a file's first windows must still be in Redis
# when its last ones close, so that the totals there are those of the whole file.
_FILE_WINDOWS = ("ROAS_CACHE_WRITER_REDIS_KEPT_WINDOWS_1M", "1440")
_HOUR_SECONDS = 3_600
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Arguments of the producer, and what they mean for a person."""

    arguments: tuple[str, ...]
    description: str
    environment: tuple[tuple[str, str], ...] = ()
    """Settings of the services that go well with it, unless the user has set them."""


def generated(
    seconds: float | None,
    rows: int | None,
    speed: float | None,
    impressions_per_second: int = IMPRESSIONS_PER_SECOND,
) -> Traffic:
    """Generated rows for so many seconds, or so many rows, at a speed.

    Without either it goes on for ten days of event time. Whole hours are generated: event time
    that is left when the time is up is not sent.
    """
    speed = DEFAULT_SPEED if speed is None else speed
    if rows is not None:
        wanted = rows / impressions_per_second
        hours = max(1, math.ceil(wanted * speed / _HOUR_SECONDS))
    elif seconds is not None:
        hours = max(1, math.ceil(seconds * speed / _HOUR_SECONDS))
    else:
        hours = _ENDLESS_HOURS
    if rows is None:
        rows = round(impressions_per_second * hours * _HOUR_SECONDS / speed)
    return Traffic(
        ("generate", "--rows", str(rows), "--hours", str(hours), "--speed", f"{speed:g}"),
        f"{rows:,} generated impressions over {hours} h of event time, {speed:g} times faster"
        " than real time",
    )


def replayed(file: Path, rows: int | None, speed: float | None) -> Traffic:
    """A file in Kaggle's format, or its first rows; as fast as possible unless told otherwise."""
    limit = () if rows is None else ("--limit", str(rows))
    pace = "max" if speed is None else f"{speed:g}"
    how = "as fast as possible" if speed is None else f"{speed:g} times faster than real time"
    return Traffic(
        ("replay", str(file), "--no-errata", "--speed", pace, *limit),
        f"{file.name}, {how}",
        (_FILE_WINDOWS,),
    )


class TrafficProcess(ManagedProcess):
    """The producer, as a process of its own: it may end by itself when its input is finished."""

    name = "producer"
    stop_timeout_s = 45.0  # It commits what it has begun.

    def __init__(
        self,
        python: Path,
        traffic: Traffic,
        *,
        directory: Path,
        environment: Mapping[str, str],
        health_port: Port,
        log_path: Path,
    ) -> None:
        super().__init__(directory, log_path)
        self._argv: list[str | Path] = [python, "-m", "roas_producer", *traffic.arguments]
        self._environment = environment
        self._health_port = health_port

    @property
    def metrics_url(self) -> str:
        """Where it shows its counters while it runs."""
        return f"http://{LOOPBACK}:{self._health_port.number}/metrics"

    def ports(self) -> Mapping[str, Port]:
        """What it listens on."""
        return {"the producer's health": self._health_port}

    def launch(self) -> Launch:
        """The program and its arguments."""
        return Launch(self._argv, cwd=self.directory, env=self._environment)

    def probe(self) -> bool:
        """Whether it answers."""
        return httpx.get(self.metrics_url, timeout=_PROBE_SECONDS).is_success
