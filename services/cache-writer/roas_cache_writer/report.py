"""Answers on stdout: tables for people, JSON for scripts. Everything else goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from roas_cache_writer.inspection import Stats
from roas_cache_writer.warm import WarmReport
from roas_contracts.redis_layout import NOTHING, Measures, TopBy, TopEntry, WindowTotals

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and how much there is."""


def progress_bar() -> Progress:
    """A bar on stderr; silent where nobody watches a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def show_windows(dimension: str, value: str, rows: Sequence[WindowTotals], as_json: bool) -> None:
    """The last windows of one value."""
    if as_json:
        _print_json(
            {"dimension": dimension, "value": value, "windows": [_window(row) for row in rows]}
        )
        return
    late = any(row.late != NOTHING for row in rows)
    corrected = any(row.correction != NOTHING for row in rows)
    extra = [head for head, shown in (("late", late), ("corrected", corrected)) if shown]
    table = _table("window (UTC)", *_MEASURE_HEADS, *extra, left=1, title=f"{dimension} {value}")
    for row in rows:
        parts = [part for part, shown in ((row.late, late), (row.correction, corrected)) if shown]
        table.add_row(
            _minute(row.window_start),
            *_cells(row.totals),
            *(f"{part.impressions:,}/{part.clicks:,}" for part in parts),
        )
    _print(table, "no such window in Redis", rows)


def show_top(dimension: str, by: TopBy, entries: Sequence[TopEntry], as_json: bool) -> None:
    """A ranking."""
    if as_json:
        _print_json(
            {
                "dimension": dimension,
                "by": by.value,
                "top": [{"value": entry.value, **_measures(entry.totals)} for entry in entries],
            }
        )
        return
    table = _table("#", dimension, *_MEASURE_HEADS, left=2, title=f"top {dimension} by {by}")
    for place, entry in enumerate(entries, 1):
        table.add_row(str(place), entry.value, *_cells(entry.totals))
    _print(table, "nothing to rank", entries)


def show_stats(stats: Stats, as_json: bool) -> None:
    """What is held, how fresh it is and how far behind."""
    for note in stats.notes:
        typer.echo(f"Not known: {note}", err=True)
    sizes = {
        size.value: {
            "window_hashes": count,
            "newest_window_start": _iso_or_none(fresh.newest_window_start if fresh else None),
            "oldest_kept_window_start": _iso_or_none(
                fresh.oldest_kept_window_start if fresh else None
            ),
            "last_write": _iso_or_none(fresh.written_at if fresh else None),
            "warmed": _iso_or_none(fresh.warmed_at if fresh else None),
        }
        for size, count in stats.windows.items()
        for fresh in [stats.freshness.get(size)]
    }
    partitions = [
        {
            "topic": topic,
            "partition": partition,
            "next_offset": offset,
            "lag": None if stats.lag is None else stats.lag[topic, partition],
        }
        for (topic, partition), offset in (stats.offsets or {}).items()
    ]
    if as_json:
        known = partitions if stats.offsets is not None else None
        _print_json({"sizes": sizes, "memory": stats.memory, "partitions": known})
        return
    table = _table("windows", "hashes", "newest", "oldest kept", "last write", "warmed", left=6)
    for size, facts in sizes.items():
        table.add_row(size, *(str(fact) if fact is not None else "–" for fact in facts.values()))
    limit = stats.memory["limit_bytes"]
    console = _console()
    console.print(table)
    console.print(
        f"Redis memory {stats.memory['used_bytes'] / 2**20:.1f} MiB of "
        f"{f'{limit / 2**20:.0f} MiB' if limit else 'no limit'}, "
        f"{stats.memory['evicted_keys']} keys evicted for want of it"
    )
    if partitions:
        table = _table("topic", "partition", "next offset", "lag", left=1)
        for row in partitions:
            table.add_row(*(str(fact) if fact is not None else "–" for fact in row.values()))
        console.print(table)


def show_warming(reports: Sequence[WarmReport], as_json: bool) -> None:
    """What warming did."""
    if as_json:
        _print_json(
            {
                report.size.value: {
                    "windows": report.windows,
                    "rows_set": report.rows_set,
                    "values_removed": report.values_removed,
                }
                for report in reports
            }
        )
        return
    for report in reports:
        typer.echo(
            f"{report.size}: {report.windows} windows, {report.rows_set} rows set, "
            f"{report.values_removed} removed"
        )


def show_eviction(keys: int, values: int, as_json: bool) -> None:
    """What eviction removed."""
    if as_json:
        _print_json({"keys_removed": keys, "values_removed": values})
    else:
        typer.echo(f"{keys} keys and {values} single values removed")


def show_rebinding(topic: str, partitions: int, as_json: bool) -> None:
    """What rebinding forgot."""
    if as_json:
        _print_json({"topic": topic, "partitions_forgotten": partitions})
    else:
        typer.echo(
            f"{partitions} partitions of {topic} forgotten: the next run reads it from the start"
        )


_MEASURE_HEADS = ("impressions", "clicks", "CTR", "conv.", "cost", "revenue")


def _cells(measures: Measures) -> tuple[str, ...]:
    return (
        f"{measures.impressions:,}",
        f"{measures.clicks:,}",
        "–" if measures.ctr is None else f"{measures.ctr:.2%}",
        f"{measures.conversions:,}",
        _money(measures.cost_micros),
        _money(measures.revenue_micros),
    )


def _money(micros: int) -> str:
    """Units of the currency to two digits, exact whatever the size."""
    sign, cents = ("-" if micros < 0 else ""), (abs(micros) + 5_000) // 10_000
    return f"{sign}{cents // 100:,}.{cents % 100:02}"


def _measures(measures: Measures) -> dict[str, Any]:
    return {
        "impressions": measures.impressions,
        "clicks": measures.clicks,
        "conversions": measures.conversions,
        "cost_micros": measures.cost_micros,
        "revenue_micros": measures.revenue_micros,
        "ctr": measures.ctr,
    }


def _window(row: WindowTotals) -> dict[str, Any]:
    return {
        "window_start": _iso(row.window_start),
        "window_end": _iso(row.window_end),
        **_measures(row.totals),
        "on_time": _measures(row.on_time),
        "late": _measures(row.late),
        "correction": _measures(row.correction),
        "revision": row.revision,
        "first_emitted_at": _iso(row.first_emitted_at),
        "last_emitted_at": _iso(row.last_emitted_at),
        "written_at": _iso(row.written_at),
    }


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    fraction = milliseconds % 1000
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{fraction:03}' if fraction else ''}Z"


def _iso_or_none(milliseconds: int | None) -> str | None:
    return _iso(milliseconds) if milliseconds else None


def _minute(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%d %H:%M}"


def _table(*heads: str, left: int, title: str | None = None) -> Table:
    """A table whose first `left` columns are texts and whose others are figures; none is cut."""
    table = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place < left else "right", no_wrap=True)
    return table


def _console() -> Console:
    """Stdout; a file or a pipe has no width that anything would have to be cut to."""
    return Console(width=None if sys.stdout.isatty() else 200)


def _print(table: Table, otherwise: str, rows: Sequence[object]) -> None:
    if rows:
        _console().print(table)
    else:
        typer.echo(otherwise, err=True)


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, indent=2))
