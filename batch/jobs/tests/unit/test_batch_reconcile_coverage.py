"""The archive against Kafka's offsets: gone, not archived yet, or lost."""

from __future__ import annotations

from datetime import date
from typing import Any

from roas_batch.catalog import ArchivedRange
from roas_batch.planning import Known, Log, Range, Span
from roas_batch.reconcile.causes import Cause
from roas_batch.reconcile.coverage import coverage
from roas_batch.reconcile.kafka_gone import cause_of

TOPIC = "ad-clicks"
DAY = date(2014, 10, 21)


def log(start: int = 0, end: int = 100, topic_id: str = "t") -> Log:
    return Log(TOPIC, topic_id, "cluster", 0, start, end)


def archived(first: int, end: int, topic_id: str = "t") -> ArchivedRange:
    nothing: dict[str, Any] = dict.fromkeys(
        ("file_bytes", "events", "heartbeats", "poison", "skipped"), 0
    )
    return ArchivedRange(
        topic=TOPIC,
        topic_id=topic_id,
        cluster_id="cluster",
        partition=0,
        span=Span(first, end),
        file="f",
        file_sha256="",
        records_sha256="",
        event_days=[DAY],
        **nothing,
    )


def known(first: int, end: int, cluster: str | None = "cluster", topic_id: str = "t") -> Known:
    return Known(TOPIC, topic_id, cluster, 0, Span(first, end))


def test_what_is_archived_and_there_is_covered() -> None:
    found = coverage([log()], [archived(0, 100)], [known(0, 100)])
    assert (found.gone, found.unarchived, found.lost) == ([], [], [])
    assert found.ends == {(TOPIC, 0): 100}


def test_a_stretch_below_the_first_offset_is_gone_and_told_as_one() -> None:
    ranges = [archived(0, 40), archived(40, 80), archived(80, 100)]
    (gone,) = coverage([log(start=60)], ranges, [known(0, 100)]).gone
    assert (gone.span, gone.why) == (Span(0, 60), "the log starts at 60")


def test_a_log_that_ends_before_the_archive_has_lost_records() -> None:
    (gone,) = coverage([log(end=70)], [archived(0, 100)], [known(0, 100)]).gone
    assert (gone.span, gone.why) == (Span(70, 100), "the log ends at 70")


def test_a_topic_that_was_created_again_holds_nothing_of_the_archive() -> None:
    found = coverage([log(topic_id="new")], [archived(0, 100)], [known(0, 100)])
    assert [(each.span, each.why) for each in found.gone] == [
        (Span(0, 100), "the topic was created again")
    ]
    assert found.unarchived == []


def test_a_hole_and_the_tail_are_both_unarchived() -> None:
    found = coverage([log()], [], [known(0, 20), known(30, 80)])
    assert found.unarchived == [Range(TOPIC, 0, 20, 30), Range(TOPIC, 0, 80, 100)]
    assert found.ends == {(TOPIC, 0): 80}


def test_what_was_deleted_before_it_was_archived_is_lost_accepted_or_not() -> None:
    assert coverage([log(start=10)], [], [known(20, 100)]).lost == [Range(TOPIC, 0, 0, 10)]
    accepted = [known(0, 10, cluster=None), known(10, 100)]
    assert coverage([log(start=10)], [], accepted).lost == [Range(TOPIC, 0, 0, 10)]


def test_only_what_is_older_than_the_retention_has_expired() -> None:
    assert cause_of(0, 1_000, 1_001) is Cause.KAFKA_EXPIRED
    assert cause_of(0, 1_000, 1_000) is Cause.KAFKA_RECORDS_DELETED
    assert cause_of(0, -1, 10**12) is Cause.KAFKA_RECORDS_DELETED
