"""Which days are stale."""

from __future__ import annotations

from datetime import date
from typing import Any

from roas_batch.catalog import ArchivedRange, fingerprint, stale_days
from roas_batch.planning import Span

_TUESDAY, _WEDNESDAY = date(2014, 10, 21), date(2014, 10, 22)


def _range(first: int, end: int, *days: date, **changes: Any) -> ArchivedRange:
    fields: dict[str, Any] = {
        "topic": "ad-clicks",
        "topic_id": "topic-1",
        "cluster_id": "cluster-1",
        "partition": 0,
        "span": Span(first, end),
        "file": f"{first}.parquet",
        "file_bytes": 1,
        "file_sha256": "packed",
        "records_sha256": f"records {first}",
        "events": 1,
        "heartbeats": 0,
        "poison": 0,
        "skipped": 0,
        "event_days": days,
        **changes,
    }
    return ArchivedRange(**fields)


def test_a_day_that_was_never_built_is_stale() -> None:
    assert stale_days([_range(0, 5, _TUESDAY)], {}) == [_TUESDAY]


def test_a_day_built_from_all_that_is_archived_of_it_is_not_stale() -> None:
    ranges = [_range(0, 5, _TUESDAY), _range(5, 9, _TUESDAY, _WEDNESDAY)]
    built = {_TUESDAY: fingerprint(ranges), _WEDNESDAY: fingerprint(ranges[1:])}
    assert stale_days(ranges, built) == []


def test_a_late_arrival_makes_its_old_day_stale_and_no_other() -> None:
    ranges = [_range(0, 5, _TUESDAY), _range(5, 9, _WEDNESDAY)]
    built = {_TUESDAY: fingerprint(ranges[:1]), _WEDNESDAY: fingerprint(ranges[1:])}
    assert stale_days([*ranges, _range(9, 10, _TUESDAY)], built) == [_TUESDAY]


def test_the_order_and_the_packing_of_files_do_not_make_a_day_stale() -> None:
    one, other = _range(0, 5, _TUESDAY), _range(5, 9, _TUESDAY)
    packed = _range(0, 5, _TUESDAY, file_sha256="otherwise", file_bytes=2)
    assert fingerprint([one, other]) == fingerprint([other, packed])
