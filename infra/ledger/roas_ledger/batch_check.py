"""The batch against Kafka: the archive's records by partition, raw's windows by day."""

from __future__ import annotations

from datetime import date

from roas_ledger import batch_lineage
from roas_ledger.differences import Difference, Pair, Place, Span, WindowComparison
from roas_ledger.evidence import Evidence
from roas_ledger.postgres_lineage import PostgresLineage
from roas_ledger.report import Report
from roas_ledger.windows import ONE_MINUTE

CHECK = "batch"
EVENTS = "events in Kafka"


def run(evidence: Evidence, postgres: PostgresLineage, report: Report) -> None:
    """Enter both comparisons; nothing where nothing is archived."""
    if not evidence.archived:
        return
    strangers = {each.cluster_id for each in evidence.archived.values()} - {evidence.cluster_id}
    if strangers:
        report.notes.append("the archive is of another cluster: not compared")
        return
    _archive(evidence, report)
    _raw(evidence, postgres, report)


def _archive(evidence: Evidence, report: Report) -> None:
    """The formula: committed records before the archive's end = those that it says it holds."""
    found: list[Difference] = []
    compared = 0
    for at, archived in sorted(evidence.archived.items()):
        extent = evidence.extents.get(at)
        if extent is None or extent.start > archived.first:
            continue  # What Kafka has deleted is told by the retention check.
        compared += 1
        missing = archived.end - archived.first - archived.offsets
        committed = evidence.events.archived_records[at]
        if missing or committed != archived.records:
            found.append(
                Difference(
                    check=CHECK,
                    expected_from="committed records in Kafka",
                    got_from=batch_lineage.ARCHIVE,
                    place=f"{at[0]}/{at[1]}@0-{archived.end - 1}",
                    expected=committed,
                    got=archived.records,
                    detail=f"{missing:,} offsets are in no file" if missing else None,
                )
            )
    between = f"committed records in Kafka and the {batch_lineage.ARCHIVE}"
    report.enter(CHECK, between, compared, "partitions", found)


def _raw(evidence: Evidence, postgres: PostgresLineage, report: Report) -> None:
    ends = {at: each.end for at, each in evidence.archived.items()}
    first = evidence.span(ONE_MINUTE).first
    found: list[Difference] = []
    compared = 0
    stale = []
    for built in batch_lineage.built_days(postgres):
        if built.stale:
            stale.append(built.day.isoformat())
            continue
        start = built.start_ms if first is None else max(first, built.start_ms)
        comparison = WindowComparison(
            Pair(CHECK, EVENTS, batch_lineage.LINEAGE, _place(built.day)),
            ONE_MINUTE,
            Span(start, built.end_ms),
            evidence.events.archived.windows,
        )
        for window, cells in batch_lineage.raw_windows(postgres, built.day, ends):
            comparison.window(window, cells)
        found.extend(comparison.finish())
        compared += comparison.compared
    report.enter(CHECK, f"1m: {EVENTS} and {batch_lineage.LINEAGE}", compared, "rows", found)
    if stale:
        report.notes.append(
            f"raw is behind the archive and not compared on: {', '.join(stale)} "
            "(`./roas batch rebuild`)"
        )


def _place(day: date) -> Place:
    return lambda size, start, series: f"{batch_lineage.LINEAGE}, {day.isoformat()}"
