"""What is still to be archived, and what is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_batch.planning import Known, Log, Plan, Range, Span, gaps, plan
from roas_contracts.errors import MisconfigurationError


def _log(partition: int = 0, start: int = 0, end: int = 0) -> Log:
    return Log("ad-clicks", "topic-1", "cluster-1", partition, start, end)


def _known(first: int, end: int, partition: int = 0, **changes: str | None) -> Known:
    named = {"topic_id": "topic-1", "cluster_id": "cluster-1", **changes}
    return Known(
        "ad-clicks", str(named["topic_id"]), named["cluster_id"], partition, Span(first, end)
    )


def _range(first: int, end: int, partition: int = 0) -> Range:
    return Range("ad-clicks", partition, first, end)


def test_nothing_archived_means_everything_in_ranges_of_bounded_size() -> None:
    assert plan([_log(end=250)], [], 100) == Plan(
        [_range(0, 100), _range(100, 200), _range(200, 250)], []
    )


def test_an_empty_topic_needs_nothing() -> None:
    assert plan([_log(end=0)], [], 100) == Plan([], [])


def test_only_what_is_not_archived_is_planned() -> None:
    known = [_known(0, 50), _known(80, 120)]
    assert plan([_log(end=130)], known, 100) == Plan([_range(50, 80), _range(120, 130)], [])


def test_partitions_take_turns() -> None:
    planned = plan([_log(0, end=200), _log(1, end=100)], [], 100)
    assert planned.ranges == [_range(0, 100, 0), _range(0, 100, 1), _range(100, 200, 0)]


def test_what_kafka_deleted_before_it_was_archived_is_lost_and_named() -> None:
    planned = plan([_log(start=150, end=200)], [_known(0, 100)], 100)
    assert planned == Plan([_range(150, 200)], [_range(100, 150)])


def test_a_log_that_was_deleted_whole_is_lost_whole() -> None:
    assert plan([_log(start=200, end=200)], [], 100) == Plan([], [_range(0, 200)])


def test_what_was_archived_and_then_deleted_is_not_lost() -> None:
    assert plan([_log(start=150, end=200)], [_known(0, 200)], 100) == Plan([], [])


def test_an_accepted_loss_is_not_named_again() -> None:
    accepted = _known(0, 150, cluster_id=None)
    assert plan([_log(start=150, end=200)], [accepted], 100) == Plan([_range(150, 200)], [])


@pytest.mark.parametrize(
    ("known", "named"),
    [
        (_known(0, 10, topic_id="another"), "deleted and created again"),
        (_known(0, 10, cluster_id="another"), "this is Kafka cluster cluster-1"),
        (_known(0, 101), "Kafka has lost records"),
    ],
)
def test_another_log_than_the_archived_one_is_refused(known: Known, named: str) -> None:
    with pytest.raises(MisconfigurationError, match=named):
        plan([_log(end=100)], [known], 100)


_SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda p: Span(p[0], p[0] + p[1])),
    max_size=6,
)


@given(_SPANS, st.integers(0, 70))
def test_gaps_are_exactly_what_nothing_covers(covered: list[Span], end: int) -> None:
    found = [
        n for gap in gaps(Span(0, end), covered) for n in range(gap.from_offset, gap.to_offset)
    ]
    inside = {n for span in covered for n in range(span.from_offset, span.to_offset)}
    assert found == [n for n in range(end) if n not in inside]


@given(_SPANS, st.integers(0, 70), st.integers(0, 70), st.integers(1, 25))
def test_every_offset_is_archived_planned_or_lost_and_only_once(
    covered: list[Span], start: int, length: int, most: int
) -> None:
    end = start + length
    known = [_known(s.from_offset, min(s.to_offset, end)) for s in covered if s.from_offset < end]
    planned = plan([_log(start=start, end=end)], known, most)
    archived = {n for k in known for n in range(k.span.from_offset, k.span.to_offset)}
    rest = [
        n
        for each in (*planned.ranges, *planned.lost)
        for n in range(each.from_offset, each.to_offset)
    ]
    assert sorted(rest) == [n for n in range(end) if n not in archived]
    assert all(each.to_offset - each.from_offset <= most for each in planned.ranges)
    assert all(each.from_offset >= start for each in planned.ranges)
    assert all(each.to_offset <= start for each in planned.lost)
