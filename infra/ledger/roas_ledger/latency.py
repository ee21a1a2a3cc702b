"""How long it takes from the close of a window until Redis shows it.

Two spans, for they answer two questions:

- close → Redis: from the stream's watermark passing the window's end (the delta's `emitted_at`)
  to the write of the window's `total` row in Redis. It holds the stream's checkpoint, which makes
  the delta visible, and the cache writer.
- sent → Redis: from the send time of the record that lets the window close (on the partition
  where that comes last) to the same write. It adds the producer's transaction and the source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from roas_contracts.redis_layout import WindowTotals
from roas_ledger.horizon import PartitionClock
from roas_ledger.record import Partition


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one span, in milliseconds."""

    p50: int
    p99: int
    max: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Both spans over `windows` one-minute windows; None where there was none to measure."""

    windows: int
    close_to_redis: Percentiles | None
    sent_to_redis: Percentiles | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON, in milliseconds."""
        return asdict(self)


def measure(
    rows: Iterable[WindowTotals],
    clocks: Mapping[Partition, PartitionClock],
    warmed_at: int,
) -> Latency:
    """The latency of windows whose `total` rows are given.

    Rows that were written more than once (late events), or again by a rebuild of Redis, say
    nothing about their first write and are left out.
    """
    speaking = [clock for clock in clocks.values() if clock.newest is not None]
    from_close: list[int] = []
    from_sending: list[int] = []
    for row in rows:
        if row.revision != 1 or row.written_at <= warmed_at:
            continue
        from_close.append(row.written_at - row.first_emitted_at)
        closed = [clock.closed_at(row.window_end) for clock in speaking]
        sent = [moment for moment in closed if moment is not None]
        if sent and len(sent) == len(closed):
            from_sending.append(row.written_at - max(sent))
    return Latency(len(from_close), percentiles(from_close), percentiles(from_sending))


def percentiles(values: list[int]) -> Percentiles | None:
    """Nearest-rank percentiles; None for no values."""
    if not values:
        return None
    ordered = sorted(values)

    def rank(share: float) -> int:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Percentiles(rank(0.50), rank(0.99), ordered[-1])
