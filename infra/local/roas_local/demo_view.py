"""How the demo's live numbers look: a screen for a person, a line for a log."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from roas_contracts.redis_layout import WindowSize, WindowTotals
from roas_local.demo_feed import Snapshot

_SPARKS = "▁▂▃▄▅▆▇█"
_ROWS = 6
_SPARK_WIDTH = 48


def screen(snapshot: Snapshot, elapsed_seconds: float, description: str) -> RenderableType:
    """The live view: windows of both sizes, campaigns, and how the pipeline is doing."""
    tables = Table.grid(padding=(0, 4))
    tables.add_row(
        _windows(snapshot, WindowSize.ONE_MINUTE, "1-minute windows"),
        _windows(snapshot, WindowSize.FIVE_MINUTES, "5-minute windows"),
        _campaigns(snapshot),
    )
    trend = sparkline([row.ctr for row in snapshot.windows.get(WindowSize.ONE_MINUTE, [])])
    parts: list[RenderableType] = [
        Text(_pipeline(snapshot, elapsed_seconds)),
        Text(f"CTR per minute {trend}" if trend else "waiting for the first window to close"),
        tables,
    ]
    return Panel(Group(*parts), title=f"[bold]live CTR[/bold] · {description}")


def line(snapshot: Snapshot, elapsed_seconds: float) -> str:
    """The same in one line."""
    parts = [f"{elapsed_seconds:5.0f} s", f"{snapshot.total_events:,} events"]
    parts.append(f"{snapshot.events_per_second:,.0f}/s")
    parts.append(f"event clock {clock(snapshot.event_clock)}")
    for size in WindowSize:
        rows = snapshot.windows.get(size)
        if rows:
            newest = rows[-1]
            parts.append(
                f"{size.value} {clock(newest.window_start)} CTR {_ctr(newest)}"
                f" ({newest.totals.clicks:,}/{newest.totals.impressions:,})"
            )
    parts.append(f"behind {snapshot.behind:,}")
    return " · ".join(parts)


def sparkline(values: list[float | None]) -> str:
    """Values as a row of bars between their lowest and highest; a gap where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) / (len(_SPARKS) - 1) or 1.0
    shown = values[-_SPARK_WIDTH:]
    return "".join(
        " " if value is None else _SPARKS[round((value - low) / step)] for value in shown
    )


def clock(time_ms: int | None) -> str:
    """Event time to the minute, or a dash."""
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _pipeline(snapshot: Snapshot, elapsed_seconds: float) -> str:
    until = snapshot.complete_until.get(WindowSize.ONE_MINUTE)
    return (
        f"{elapsed_seconds:.0f} s   {snapshot.total_events:,} events sent"
        f"   {snapshot.events_per_second:,.0f} events/s"
        f"   event clock {clock(snapshot.event_clock)}"
        f"   complete until {clock(until)}   {snapshot.behind:,} deltas behind"
    )


def _windows(snapshot: Snapshot, size: WindowSize, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("window")
    for name in ("impressions", "clicks", "CTR"):
        table.add_column(name, justify="right")
    for row in reversed(snapshot.windows.get(size, [])[-_ROWS:]):
        table.add_row(
            clock(row.window_start),
            f"{row.totals.impressions:,}",
            f"{row.totals.clicks:,}",
            _ctr(row),
        )
    return table


def _campaigns(snapshot: Snapshot) -> Table:
    table = Table(title="top campaigns, 5 minutes", title_justify="left", box=None, pad_edge=False)
    table.add_column("campaign")
    for name in ("impressions", "CTR"):
        table.add_column(name, justify="right")
    for entry in snapshot.top_campaigns:
        ctr = entry.totals.ctr
        shown = "-" if ctr is None else f"{ctr:.2%}"
        table.add_row(Text(entry.value), f"{entry.totals.impressions:,}", shown)
    return table


def _ctr(row: WindowTotals) -> str:
    return "-" if row.ctr is None else f"{row.ctr:.2%}"
