"""Offsets are refused where they mean something else, with what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.consuming.positions import (
    Reader,
    StoredOffset,
    TopicIdentity,
    check_epoch,
    check_identity,
    start_offset,
)
from roas_contracts.errors import FencedError, MisconfigurationError

_READER = Reader("cache-writer", "ROAS_CACHE_WRITER_")
_TOPICS = {"ad-metrics-1m": TopicIdentity("cluster", "topic-id", 2)}


def _stored(partition: int = 0, **changes: object) -> dict[tuple[str, int], StoredOffset]:
    fields: dict[str, object] = {
        "next_offset": 5,
        "cluster_id": "cluster",
        "topic_id": "topic-id",
        "writer_epoch": 3,
        **changes,
    }
    return {("ad-metrics-1m", partition): StoredOffset(**fields)}  # type: ignore[arg-type]


def test_the_same_log_is_fine() -> None:
    check_identity(_READER, _stored(), _TOPICS)
    check_identity(_READER, {}, _TOPICS)


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (_stored(cluster_id="other"), "ROAS_CACHE_WRITER_KAFKA_BOOTSTRAP"),
        (_stored(topic_id="other"), "rebind ad-metrics-1m"),
        (_stored(partition=2), "partition 2"),
    ],
)
def test_another_log_is_refused(stored: dict[tuple[str, int], StoredOffset], says: str) -> None:
    with pytest.raises(MisconfigurationError, match=says):
        check_identity(_READER, stored, _TOPICS)


def test_a_newer_epoch_fences() -> None:
    check_epoch(_READER, _stored(), 3)
    with pytest.raises(FencedError, match=r"ad-metrics-1m\[0\]"):
        check_epoch(_READER, _stored(writer_epoch=4), 3)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.booleans())
def test_reading_starts_at_the_first_record_not_counted_or_not_at_all(
    stored: int, first: int, length: int, accept: bool
) -> None:
    end = first + length
    partition = ("ad-metrics-1m", 0)
    if stored > end or (stored < first and not accept):
        with pytest.raises(MisconfigurationError):
            start_offset(_READER, partition, stored, (first, end), accept)
    else:
        assert start_offset(_READER, partition, stored, (first, end), accept) == max(stored, first)


def test_a_loss_says_how_many_records_and_which_setting() -> None:
    with pytest.raises(MisconfigurationError, match=r"7 records .*\(3 to 9\).*ACCEPT_LOST"):
        start_offset(_READER, ("ad-metrics-1m", 0), 3, (10, 20), False)
