"""The report for a person: what was compared, what is red, and where."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from roas_ledger.latency import Latency, Percentiles
from roas_ledger.report import Report

SHOWN_DIFFERENCES = 20
"""How many differences a person is shown; --json has all of them."""

_OK = "[green]ok[/green]"


def show(report: Report, console: Console) -> None:
    """Print the report."""
    parts: list[RenderableType] = [_topics(report), _totals(report), _comparisons(report)]
    if report.inputs:
        parts.append(_inputs(report))
    parts.append(Text(_places(report)))
    parts.extend(Text(f"note: {note}", style="dim") for note in report.notes)
    if report.differences:
        parts.append(_differences(report))
    style = "green" if report.exact else "red"
    title = "the ledger is exact" if report.exact else "the ledger DIFFERS"
    console.print(Panel(Group(*parts), title=f"[bold]{title}[/bold]", border_style=style))


def _topics(report: Report) -> Table:
    table = _table("Where every committed record went")
    table.add_column("topic")
    names = ("committed", "on time", "late", "corrected", "dead", "skipped", "heartbeats", "open")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("missing", justify="right")
    for line in report.topics:
        numbers = (
            line.committed,
            line.on_time,
            line.late,
            line.corrections,
            line.dead,
            line.skipped,
            line.heartbeats,
            line.open + line.before,
        )
        missing = _OK if not line.missing else f"[bold red]{line.missing:+,}[/bold red]"
        table.add_row(line.topic, *(f"{number:,}" for number in numbers), missing)
    return table


def _totals(report: Report) -> Table:
    table = _table("Totals of the closed windows, by lineage")
    table.add_column("size")
    table.add_column("lineage")
    for name in ("windows", "impressions", "clicks", "conversions", "CTR", "cost", "revenue"):
        table.add_column(name, justify="right")
    for line in report.totals:
        ctr = f"{line.clicks / line.impressions:.4f}" if line.impressions else "-"
        table.add_row(
            line.size,
            line.lineage,
            f"{line.windows:,}",
            f"{line.impressions:,}",
            f"{line.clicks:,}",
            f"{line.conversions:,}",
            ctr,
            f"{line.cost_micros / 1e6:,.2f}",
            f"{line.revenue_micros / 1e6:,.2f}",
        )
    return table


def _comparisons(report: Report) -> Table:
    table = _table("What was compared")
    table.add_column("check")
    table.add_column("between")
    table.add_column("compared", justify="right")
    table.add_column("differences", justify="right")
    for line in report.comparisons:
        verdict = _OK if line.ok else f"[bold red]{line.differences:,}[/bold red]"
        table.add_row(line.check, line.between, f"{line.compared:,} {line.unit}", verdict)
    return table


def _inputs(report: Report) -> Table:
    table = _table("What the producer says it has sent")
    table.add_column("input")
    for name in ("rows", "impressions", "clicks", "conversions", "dead rows"):
        table.add_column(name, justify="right")
    table.add_column("finished")
    for line in report.inputs:
        numbers = (
            line.rows_read,
            line.impressions,
            line.clicks,
            line.conversions,
            line.dead_letters,
        )
        finished = "yes" if line.finished else "no"
        table.add_row(escape(line.name), *(f"{number:,}" for number in numbers), finished)
    return table


def _places(report: Report) -> str:
    horizon = report.horizon
    lines = []
    if horizon.watermark is not None:
        first = f" from {horizon.first_window}" if horizon.first_window else ""
        lines.append(
            f"compared: windows{first} up to {horizon.ends['1m']} (1m) and {horizon.ends['5m']}"
            f" (5m); the slowest clock is that of {horizon.held_by}"
        )
    behind: dict[str, int] = {}
    for line in report.consumers:
        behind[line.group] = behind.get(line.group, 0) + line.behind
    lines.append(
        "behind: " + ", ".join(f"{group} {count:,} offsets" for group, count in behind.items())
    )
    if report.dead_letters:
        counted = (f"{count:,} of {group}" for group, count in report.dead_letters.items())
        lines.append("dead letters: " + ", ".join(counted))
    if report.latency is not None and report.latency.windows:
        lines.append(latency_sentence(report.latency))
    return "\n".join(lines)


def latency_sentence(latency: Latency) -> str:
    """The latency of window close → Redis, on one line."""
    told = f"window close → Redis over {latency.windows} one-minute windows: "
    told += _percentiles(latency.close_to_redis)
    if latency.sent_to_redis is not None:
        told += f" (from the sending of the closing record: {_percentiles(latency.sent_to_redis)})"
    return told


def _percentiles(span: Percentiles | None) -> str:
    if span is None:
        return "not measured"
    return f"p50 {span.p50 / 1000:.2f} s, p99 {span.p99 / 1000:.2f} s, max {span.max / 1000:.2f} s"


def _differences(report: Report) -> RenderableType:
    count = len(report.differences)
    lines = [
        Text(f"✗ {difference.sentence()}", style="red")
        for difference in report.differences[:SHOWN_DIFFERENCES]
    ]
    if count > SHOWN_DIFFERENCES:
        lines.append(Text(f"… and {count - SHOWN_DIFFERENCES:,} more: --json has all", style="red"))
    return Group(Text(f"{count:,} differences", style="bold red"), *lines)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
