"""One window size through all lineages: events, metrics topics, PostgreSQL, Redis."""

from __future__ import annotations

from collections.abc import Iterable

from roas_contracts.redis_layout import RedisMetricsReader, WindowSize
from roas_contracts.redis_layout import WindowTotals as CachedRow
from roas_ledger import postgres_lineage, redis_lineage
from roas_ledger.differences import Difference, Pair, Place, Span, WindowComparison
from roas_ledger.evidence import Evidence
from roas_ledger.metric_lineage import KINDS, MetricLineage
from roas_ledger.postgres_lineage import KIND_COLUMNS, PostgresLineage
from roas_ledger.report import LineageTotals, Report
from roas_ledger.totals import MEASURES, TOTAL, Cell, Series, WindowTotals
from roas_ledger.windows import ONE_MINUTE, metrics_topic

EVENTS = "events in Kafka"
DELTAS = "metrics topics"


class WindowCheck:
    """Runs every window comparison of one size and keeps what other checks need of it.

    After `run`: `stored_totals` are PostgreSQL's sums of the `total` dimension by kind (on time,
    late, corrections), `cached_totals` the `total` rows that Redis holds, `warmed_at` when Redis
    was rebuilt last (epoch milliseconds).
    """

    def __init__(
        self,
        evidence: Evidence,
        size: WindowSize,
        postgres: PostgresLineage,
        redis: RedisMetricsReader,
        now_ms: int,
    ) -> None:
        self.size = size
        self.stored_totals: tuple[Cell, Cell, Cell] = (_zeros(), _zeros(), _zeros())
        self.cached_totals: list[CachedRow] = []
        self.warmed_at = 0
        self._span = evidence.span(size)
        self._postgres = postgres
        self._redis = redis
        self._now_ms = now_ms
        events = evidence.events.totals
        self._events = events if size is ONE_MINUTE else events.rolled_up(size)
        self._deltas: MetricLineage = evidence.metrics[size]
        self._shown = self._deltas.all_kinds()

    def run(self, report: Report) -> None:
        """Compare, and enter comparisons, totals and differences into the report."""
        report.totals.append(self._line(EVENTS, self._events))
        report.totals.append(self._line(DELTAS, self._shown))
        self._deltas_against_events(report)
        self._postgres_against_both(report)
        self._redis_against_deltas(report)

    def _deltas_against_events(self, report: Report) -> None:
        comparison = self._comparison(EVENTS, DELTAS, _topic_place, self._events, self._span)
        for start, window in self._shown.rows():
            comparison.window(start, window)
        found = comparison.finish()
        for place, delta in self._deltas.misplaced:
            found.append(
                Difference(
                    check="windows",
                    expected_from="the contract",
                    got_from=DELTAS,
                    place=place,
                    expected=f"a {self.size.value} window and a known kind",
                    got=f"[{delta.window_start}, {delta.window_end}) {delta.kind}",
                )
            )
        self._enter(report, f"{EVENTS} and {DELTAS}", comparison.compared, found)

    def _postgres_against_both(self, report: Report) -> None:
        place, name = postgres_lineage.place, postgres_lineage.LINEAGE
        with_events = self._comparison(EVENTS, name, place, self._events, self._span)
        by_kind = [
            self._comparison(
                DELTAS, name, place, self._deltas.by_kind[kind], self._span, f"{column}_"
            )
            for kind, column in zip(KINDS, KIND_COLUMNS, strict=True)
        ]
        windows = 0
        for stored in self._postgres.windows(self.size, self._span):
            windows += 1
            with_events.window(stored.start, stored.totals())
            for kind, comparison in enumerate(by_kind):
                comparison.window(stored.start, stored.kinds[kind])
                _accumulate(self.stored_totals[kind], stored.kinds[kind].get(TOTAL))
        sums = [sum(parts) for parts in zip(*self.stored_totals, strict=True)]
        report.totals.append(LineageTotals(name, self.size.value, windows, *sums))
        self._enter(report, f"{EVENTS} and {name}", with_events.compared, with_events.finish())
        found = [difference for comparison in by_kind for difference in comparison.finish()]
        compared = sum(comparison.compared for comparison in by_kind)
        self._enter(report, f"{DELTAS} and {name}", compared, found)

    def _redis_against_deltas(self, report: Report) -> None:
        place, name = redis_lineage.place, redis_lineage.LINEAGE
        fresh = self._redis.freshness().sizes.get(self.size)
        self.warmed_at = 0 if fresh is None else fresh.warmed_at
        span = redis_lineage.expected_span(self._span, fresh, self._deltas, self._now_ms)
        _, late, corrections = (self._deltas.by_kind[kind] for kind in KINDS)
        totals = self._comparison(DELTAS, name, place, self._shown, span)
        of_late = self._comparison(DELTAS, name, place, late, span, "late_")
        of_corrections = self._comparison(DELTAS, name, place, corrections, span, "correction_")
        sums, windows = _zeros(), 0
        for cached in redis_lineage.cached_windows(self._redis, self.size, span):
            windows += 1
            totals.window(cached.start, cached.totals)
            of_late.window(cached.start, cached.late)
            of_corrections.window(cached.start, cached.corrections)
            _accumulate(sums, cached.totals.get(TOTAL))
            if cached.total_row is not None:
                self.cached_totals.append(cached.total_row)
        report.totals.append(LineageTotals(name, self.size.value, windows, *sums))
        found = [*totals.finish(), *of_late.finish(), *of_corrections.finish()]
        self._enter(report, f"{DELTAS} and {name}", totals.compared, found)

    def _comparison(
        self,
        expected_from: str,
        got_from: str,
        place: Place,
        expected: WindowTotals,
        span: Span,
        measure_prefix: str = "",
    ) -> WindowComparison:
        pair = Pair("windows", expected_from, got_from, place, measure_prefix)
        return WindowComparison(pair, self.size, span, expected.windows)

    def _enter(self, report: Report, between: str, compared: int, found: list[Difference]) -> None:
        report.enter("windows", f"{self.size.value}: {between}", compared, "rows", found)

    def _line(self, lineage: str, totals: WindowTotals) -> LineageTotals:
        held = [window for start, window in totals.windows.items() if self._span.holds(start)]
        sums = _zeros()
        for window in held:
            _accumulate(sums, window.get(TOTAL))
        return LineageTotals(lineage, self.size.value, len(held), *sums)


def _topic_place(size: WindowSize, start: int, series: Series) -> str:
    return f"topic {metrics_topic(size)}"


def _accumulate(sums: Cell, cell: Iterable[int] | None) -> None:
    for index, value in enumerate(cell or ()):
        sums[index] += value


def _zeros() -> Cell:
    return [0] * len(MEASURES)
