"""A row of PostgreSQL's metrics tables as it goes to Redis."""

from __future__ import annotations

from typing import NamedTuple

from roas_contracts.redis_layout import NOTHING, Measures, WindowSize, WindowTotals, encode_totals


class StoredRow(NamedTuple):
    """Absolute totals of one dimension value in one window; times in epoch milliseconds.

    In the order of `statements.RESULT`. A named tuple, for one is made of every row that changes.
    """

    window_start: int
    dimension: str
    value: str
    impressions: int
    clicks: int
    conversions: int
    cost_micros: int
    revenue_micros: int
    late_impressions: int
    late_clicks: int
    late_conversions: int
    late_cost_micros: int
    late_revenue_micros: int
    correction_impressions: int
    correction_clicks: int
    correction_conversions: int
    correction_cost_micros: int
    correction_revenue_micros: int
    revision: int
    first_emitted_at: int
    last_emitted_at: int

    def redis_text(self, size: WindowSize, written_at: int) -> str:
        """The row's hash value in Redis: what `encode_totals` makes of it."""
        if any(self[8:18]):  # Rare, and this is done for every row.
            return encode_totals(self._window_totals(size), written_at)
        return (
            f"{self.revision},{self.impressions},{self.clicks},{self.conversions},"
            f"{self.cost_micros},{self.revenue_micros}"
            f"|{self.first_emitted_at},{self.last_emitted_at},{written_at}||"
        )

    def _window_totals(self, size: WindowSize) -> WindowTotals:
        late, correction = Measures(*self[8:13]), Measures(*self[13:18])
        return WindowTotals(
            size=size,
            window_start=self.window_start,
            dimension=self.dimension,
            value=self.value,
            totals=Measures(*self[3:8]),
            late=late if any(self[8:13]) else NOTHING,
            correction=correction if any(self[13:18]) else NOTHING,
            revision=self.revision,
            first_emitted_at=self.first_emitted_at,
            last_emitted_at=self.last_emitted_at,
            written_at=0,
        )
