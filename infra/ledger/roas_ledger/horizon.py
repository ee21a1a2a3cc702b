"""Event clocks of partitions, and how far windows are closed for certain.

A partition's clock is the newest event time, or heartbeat, that it has shown. The stream's
watermark follows the slowest partition, so windows that end at or before (slowest clock minus
out-of-orderness) are closed: that is the horizon up to which lineages must agree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from roas_contracts.redis_layout import WindowSize
from roas_ledger.record import Partition
from roas_ledger.windows import floor


class PartitionClock:
    """The event clock of one partition, and when it was sent past the close of each minute."""

    __slots__ = ("newest", "_out_of_orderness_ms", "_minutes", "_sent_at")

    def __init__(self, out_of_orderness_ms: int) -> None:
        self.newest: int | None = None
        self._out_of_orderness_ms = out_of_orderness_ms
        # Two columns of the same steps: the watermark's minute and the send time at which it was
        # reached first. A step is written only when the minute grows, so this stays small.
        self._minutes: list[int] = []
        self._sent_at: list[int] = []

    def advance(self, clock_ms: int, sent_at_ms: int) -> None:
        """Take an event time or heartbeat and its record's send time (both epoch ms)."""
        if self.newest is not None and clock_ms <= self.newest:
            return
        self.newest = clock_ms
        minute = (clock_ms - self._out_of_orderness_ms) // 60_000
        if not self._minutes or minute > self._minutes[-1]:
            self._minutes.append(minute)
            self._sent_at.append(sent_at_ms)

    def closed_at(self, window_end_ms: int) -> int | None:
        """Send time of the first record that lets windows ending at a full minute close."""
        step = bisect_left(self._minutes, window_end_ms // 60_000)
        return self._sent_at[step] if step < len(self._sent_at) else None


@dataclass(frozen=True, slots=True)
class Horizon:
    """Everything that ended by `watermark` is closed. None: nothing is known to be closed.

    `held_by` is the partition with the slowest clock; `silent` are partitions that never
    showed a clock: the stream goes on without them after its idle timeout.
    """

    watermark: int | None
    held_by: Partition | None
    silent: tuple[Partition, ...]

    def end(self, size: WindowSize) -> int | None:
        """Start of the first window of a size that is not closed yet."""
        return None if self.watermark is None else floor(size, self.watermark)


def horizon(clocks: Mapping[Partition, int | None], out_of_orderness_ms: int) -> Horizon:
    """The horizon of a set of partition clocks."""
    known = {partition: clock for partition, clock in clocks.items() if clock is not None}
    silent = tuple(sorted(partition for partition, clock in clocks.items() if clock is None))
    if not known:
        return Horizon(None, None, silent)
    slowest = min(known, key=lambda partition: (known[partition], partition))
    return Horizon(known[slowest] - out_of_orderness_ms, slowest, silent)
