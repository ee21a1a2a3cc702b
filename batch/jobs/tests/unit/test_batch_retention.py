"""Which days retention lets go: old ones whose archive is whole, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from roas_batch.catalog import ArchivedRange, fingerprint
from roas_batch.maintain.retention import Partition, expiry
from roas_batch.planning import Span

FIRST = date(2014, 10, 21)
DAYS = [FIRST + timedelta(days=number) for number in range(10)]
PARTITIONS = [
    Partition(day, parent, f"{parent}_{day:%Y%m%d}")
    for day in DAYS
    for parent in ("raw.ad_clicks", "realtime.metrics_1m")
]


def archived(day: date) -> list[ArchivedRange]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("file_bytes", "events", "heartbeats", "poison", "skipped"), 0
    )
    return [
        ArchivedRange(
            topic="ad-clicks",
            topic_id="t",
            cluster_id="c",
            partition=0,
            span=Span(0, 10),
            file=f"{day}",
            file_sha256="",
            records_sha256=str(day),
            event_days=[day],
            **nothing,
        )
    ]


BUILT = {day: fingerprint(archived(day)) for day in DAYS}


def sound(ranges: Sequence[ArchivedRange]) -> str | None:
    return None


def test_days_are_counted_back_from_the_newest_event_day() -> None:
    found = expiry(PARTITIONS, BUILT, archived, sound, 7)
    assert found.newest_day == DAYS[-1]
    assert sorted({each.day for each in found.drop}) == DAYS[:3]
    assert len(found.drop) == 6
    assert found.keep == []
    assert expiry(PARTITIONS, BUILT, archived, sound, 10).drop == []


def test_a_day_whose_archive_does_not_verify_stays_and_is_named() -> None:
    def damaged(ranges: Sequence[ArchivedRange]) -> str | None:
        return "f is damaged" if ranges[0].file == str(DAYS[1]) else None

    found = expiry(PARTITIONS, BUILT, archived, damaged, 7)
    assert sorted({each.day for each in found.drop}) == [DAYS[0], DAYS[2]]
    assert [(each.day, each.why) for each in found.keep] == [(DAYS[1], "f is damaged")]


def test_a_day_that_is_not_built_or_stale_or_not_archived_stays() -> None:
    built = {**BUILT, DAYS[0]: "of fewer files"}
    del built[DAYS[1]]
    found = expiry(PARTITIONS, built, lambda d: [] if d == DAYS[2] else archived(d), sound, 7)
    assert found.drop == []
    assert [each.day for each in found.keep] == DAYS[:3]


def test_without_partitions_there_is_nothing_to_decide() -> None:
    found = expiry([], {}, archived, sound, 1)
    assert (found.newest_day, found.drop, found.keep) == (None, [], [])
