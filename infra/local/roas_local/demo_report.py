"""The demo's last words: what the ledger's report says about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_STORES = ("PostgreSQL", "Redis")


def sentences(report_file: Path, streamed_seconds: float) -> Iterator[str]:
    """What a person wants to know, from the JSON report of `roas_ledger --report`."""
    report: dict[str, Any] = json.loads(report_file.read_text())
    lines = report["totals"]
    events = [line for line in lines if line["lineage"] == "events in Kafka"]
    counted = sum(events[0][measure] for measure in ("impressions", "clicks", "conversions"))
    five = next(line["windows"] for line in events if line["size"] == "5m")
    yield (
        f"{counted:,} events in closed windows, {five:,} five-minute windows closed, in"
        f" {streamed_seconds:.0f} s of streaming ({counted / max(streamed_seconds, 1):,.0f}"
        " events/s)"
    )
    for line in lines:
        if line["lineage"] in _STORES:
            yield (
                f"{line['lineage']} {line['size']} totals: {line['impressions']:,} impressions,"
                f" {line['clicks']:,} clicks"
            )
    latency = report["latency_ms"] or {}
    for name, told in (
        ("close_to_redis", "window close → readable in Redis"),
        ("sent_to_redis", "sending of the closing record → readable in Redis"),
    ):
        span = latency.get(name)
        if span:
            yield (
                f"{told}: p50 {span['p50'] / 1000:.2f} s, p99 {span['p99'] / 1000:.2f} s over"
                f" {latency['windows']} one-minute windows"
            )
    differences = len(report["differences"])
    yield f"the ledger differs in {differences:,} places" if differences else "the ledger is exact"
