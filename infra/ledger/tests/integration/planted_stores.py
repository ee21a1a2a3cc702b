"""PostgreSQL and Redis as the cache writer would have left them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import psycopg
import redis
from planted_run import Key
from redis.typing import EncodableT, FieldT

from roas_contracts.events import AdMetric, DeltaKind
from roas_contracts.redis_layout import (
    Measures,
    WindowSize,
    WindowTotals,
    encode_totals,
    index_key,
    index_member,
    meta_key,
    window_key,
)


@dataclass
class PlantedStores:
    """The two stores, filled from deltas."""

    dsn: str
    redis_url: str
    redis: redis.Redis = field(init=False)

    def __post_init__(self) -> None:
        self.redis = redis.Redis.from_url(self.redis_url, decode_responses=True)

    def clear(self) -> None:
        """Empty tables, empty Redis."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "TRUNCATE realtime.metrics_1m, realtime.metrics_5m, realtime.consumed_offsets"
            )
        self.redis.flushall()

    def store(self, planted: Iterable[tuple[str, AdMetric]]) -> None:
        """What the cache writer would have written to PostgreSQL."""
        measures = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
        kinds = {
            DeltaKind.ON_TIME: "on_time",
            DeltaKind.LATE: "late",
            DeltaKind.CORRECTION: "correction",
        }
        every = [f"{kind}_{measure}" for kind in kinds.values() for measure in measures]
        every += [f"{kind}_deltas" for kind in kinds.values()]
        added = ", ".join(f"{name} = metrics.{name} + excluded.{name}" for name in every)
        conflict = f"(window_start, dimension, value, currency) DO UPDATE SET {added}"
        with psycopg.connect(self.dsn) as connection:
            for table in ("metrics_1m", "metrics_5m"):
                connection.execute(
                    "SELECT realtime.ensure_day_partition(%s, '2014-10-21')", [table]
                )
            for topic, delta in planted:
                table = topic.removeprefix("ad-").replace("-", "_")
                row = dict.fromkeys(every, 0)
                kind = kinds[delta.kind]
                row |= {f"{kind}_{measure}": getattr(delta, measure) for measure in measures}
                row[f"{kind}_deltas"] = 1
                connection.execute(
                    f"INSERT INTO realtime.{table} AS metrics (window_start, dimension, value,"
                    f" currency, {', '.join(every)}, first_emitted_at, last_emitted_at, revision)"
                    f" VALUES (to_timestamp(%s / 1000.0), %s, %s, 'USD',"
                    f" {', '.join(['%s'] * len(every))}, now(), now(), 1)"
                    f" ON CONFLICT {conflict}",
                    [delta.window_start, delta.dimension, delta.value, *row.values()],
                )

    def cache(self, planted: list[tuple[str, AdMetric]]) -> None:
        """What the cache writer would have written to Redis, 700 ms after the deltas."""
        now_ms = planted[0][1].emitted_at
        rows: dict[Key, WindowTotals] = {}
        for topic, delta in planted:
            size = WindowSize(topic.rpartition("-")[2])
            added = Measures(
                delta.impressions,
                delta.clicks,
                delta.conversions,
                delta.cost_micros,
                delta.revenue_micros,
            )
            key = (size, delta.window_start, delta.dimension, delta.value)
            row = rows.get(key) or WindowTotals(
                size=size,
                dimension=delta.dimension,
                value=delta.value,
                window_start=delta.window_start,
                totals=Measures(),
                revision=0,
                first_emitted_at=delta.emitted_at,
                last_emitted_at=delta.emitted_at,
                written_at=now_ms + 700,
            )
            rows[key] = replace(
                row,
                totals=row.totals + added,
                late=row.late + added if delta.kind is DeltaKind.LATE else row.late,
                revision=row.revision + 1,
            )
        for row in rows.values():
            self.set_cached(row)
        for size in WindowSize:
            newest = max(row.window_start for row in rows.values() if row.size is size)
            meta: dict[FieldT, EncodableT] = {
                "newest_window_start": newest,
                "newest_emitted_at": now_ms,
                "written_at": now_ms + 700,
                "warmed_at": 0,
                "kept_windows": 1_000,
                "ttl_seconds": 3_600,
                "currency": "USD",
            }
            self.redis.hset(meta_key(size), mapping=meta)

    def set_cached(self, row: WindowTotals) -> None:
        key = window_key(row.size, row.dimension, row.window_start)
        self.redis.hset(key, row.value, encode_totals(row))
        member = index_member(row.dimension, row.window_start)
        self.redis.zadd(index_key(row.size), {member: row.window_start})
