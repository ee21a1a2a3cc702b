"""Lineage five: what Redis shows to dashboards, read through the read interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from roas_contracts.redis_layout import (
    RedisMetricsReader,
    SizeFreshness,
    WindowSize,
    WindowTotals,
    window_key,
)
from roas_ledger.differences import Span
from roas_ledger.metric_lineage import MetricLineage
from roas_ledger.totals import TOTAL, Cell, Series

LINEAGE = "Redis"


@dataclass(slots=True)
class CachedWindow:
    """One window as Redis holds it, by kind of sum."""

    start: int
    totals: dict[Series, Cell]
    late: dict[Series, Cell]
    corrections: dict[Series, Cell]
    total_row: WindowTotals | None


def cached_windows(
    reader: RedisMetricsReader, size: WindowSize, span: Span
) -> Iterator[CachedWindow]:
    """All windows of one size within the span that Redis holds, oldest first."""
    held = [entry for entry in reader.index(size) if span.holds(entry[1])]
    for start, entries in groupby(sorted(held, key=lambda entry: entry[1]), lambda e: e[1]):
        window = CachedWindow(start, {}, {}, {}, None)
        for dimension, _ in entries:
            for value, row in reader.window(size, dimension, start).items():
                series = (dimension, value)
                window.totals[series] = list(row.totals.as_tuple())
                window.late[series] = list(row.late.as_tuple())
                window.corrections[series] = list(row.correction.as_tuple())
                if series == TOTAL:
                    window.total_row = row
        yield window


def expected_span(
    span: Span, fresh: SizeFreshness | None, deltas: MetricLineage, now_ms: int
) -> Span:
    """The windows that Redis has to hold: those within its bounds of number and age.

    Windows before the oldest kept one have left, and a window's key lives for a time after its
    last write; keys that may have expired by now are not asked for. Where Redis has no freshness
    at all, everything it should keep is missing, so nothing is left out.
    """
    if fresh is None or fresh.oldest_kept_window_start is None:
        return span
    first = fresh.oldest_kept_window_start
    expired = [
        start
        for start, emitted_at in deltas.last_emitted.items()
        if emitted_at + fresh.ttl_seconds * 1000 <= now_ms
    ]
    if expired:
        first = max(first, max(expired) + deltas.size.millis)
    return Span(first if span.first is None else max(first, span.first), span.end)


def place(size: WindowSize, start: int, series: Series) -> str:
    """The key that holds a window of a series."""
    return f"{LINEAGE} {window_key(size, series[0], start)}"
