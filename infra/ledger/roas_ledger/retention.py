"""Records that Kafka has deleted: what that does to the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from roas_ledger.differences import Difference
from roas_ledger.kafka_reader import Extent
from roas_ledger.record import Partition
from roas_ledger.windows import FIVE_MINUTES, floor

CHECK = "retention"


def gone(extents: Mapping[Partition, Extent]) -> dict[Partition, int]:
    """Offsets that no longer exist at the head of each partition (none: left out)."""
    return {at: extent.start for at, extent in extents.items() if extent.start > 0}


def differences(extents: Mapping[Partition, Extent]) -> Iterator[Difference]:
    """One difference per partition that has lost its head."""
    for (topic, partition), count in gone(extents).items():
        yield Difference(
            check=CHECK,
            expected_from="the log's first offset",
            got_from="Kafka",
            place=f"{topic}/{partition}",
            expected=0,
            got=count,
            detail=f"the first {count:,} offsets were deleted; --allow-retention compares the rest",
        )


def first_comparable(
    extents: Mapping[Partition, Extent],
    first_times: Mapping[Partition, int],
    out_of_orderness_ms: int,
) -> int | None:
    """Start of the first window for which every partition still holds its records.

    Where a partition has lost its head, the records that are gone are older than the first one
    that is left, give or take the out-of-orderness; so the window after that one is complete.
    A partition of which nothing is left says nothing about any window.

    Args:
        first_times: event time (or window start) of the first record left, by partition.

    Returns:
        A multiple of five minutes, or None when nothing is gone.
    """
    floors: list[int] = []
    for partition in gone(extents):
        first = first_times.get(partition)
        if first is None:
            return _NEVER
        floors.append(floor(FIVE_MINUTES, first + out_of_orderness_ms) + FIVE_MINUTES.millis)
    return max(floors, default=None)


_NEVER = 2**62
"""Later than any window: nothing can be compared."""
