"""Heartbeats: the event clock, to every partition of every event topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from roas_contracts.heartbeat import heartbeat_headers

END_GRACE_MS: Final = 60_000
"""How far the last heartbeat is past the end of the last window: more than any out-of-orderness."""

LARGEST_WINDOW_MS: Final = 300_000


class HeartbeatRecord(NamedTuple):
    """A Kafka record without key and value, in the order of ``Producer.produce``'s arguments."""

    topic: str
    value: None
    key: None
    partition: int
    callback: None
    on_delivery: None
    timestamp: int
    """0: the client sets the moment of sending."""
    headers: list[tuple[str, bytes]]


def heartbeats(partitions: Mapping[str, int], clock_ms: int) -> list[HeartbeatRecord]:
    """One heartbeat for each partition.

    Args:
        partitions: how many partitions each event topic has.
        clock_ms: no later event will be before this.
    """
    headers = heartbeat_headers(clock_ms)
    return [
        HeartbeatRecord(topic, None, None, partition, None, None, 0, headers)
        for topic, count in partitions.items()
        for partition in range(count)
    ]


def end_clock(last_event_ms: int) -> int:
    """The clock of the end of the input: past every window that the last event is in."""
    window_start = last_event_ms - last_event_ms % LARGEST_WINDOW_MS
    return window_start + LARGEST_WINDOW_MS + END_GRACE_MS
