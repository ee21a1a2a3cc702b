"""Why figures differ: each cause is named for what it is, and corrected only where it should be."""

from __future__ import annotations

from typing import Any

from roas_batch.reconcile.causes import (
    Cause,
    Cell,
    Counter,
    Evidence,
    Figures,
    Finding,
    Scope,
    explain,
)

TEN = Figures(10, 2, 1, 5_000, 9_000_000)
ONE = Figures(1, 0, 0, 500, 0)
NINE = TEN.minus(ONE)
CELL = Cell("1m", 1_413_849_600_000, "campaign", "c1")


def evidence(**changes: Any) -> Evidence:
    everything_agrees: dict[str, Any] = {
        "cell": CELL,
        "batch": TEN,
        "realtime": TEN,
        "topic": TEN,
        "on_time_deltas": 1,
    }
    return Evidence(**everything_agrees | changes)


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def test_figures_that_agree_are_no_difference() -> None:
    assert explain(evidence()) == []
    assert explain(evidence(topic=None)) == []


def test_a_window_that_was_closed_twice_and_whose_sum_is_right_is_no_difference() -> None:
    assert explain(evidence(on_time_deltas=2)) == []


def test_records_that_the_stream_has_not_passed_are_late_and_no_error() -> None:
    finding = only(explain(evidence(realtime=NINE, topic=NINE, lagging=ONE)))
    assert (finding.cause, finding.correction) == (Cause.LATE, None)


def test_records_that_are_counted_before_they_are_archived_are_late() -> None:
    finding = only(explain(evidence(batch=NINE, tail=ONE)))
    assert (finding.cause, finding.correction) == (Cause.LATE, None)


def test_an_event_that_the_stream_dead_lettered_is_named_and_never_corrected() -> None:
    finding = only(explain(evidence(realtime=NINE, topic=NINE, dead=ONE)))
    assert (finding.cause, finding.correction) == (Cause.DEAD_LETTER, None)


def test_records_in_a_hole_of_the_archive_are_named() -> None:
    finding = only(explain(evidence(batch=NINE, hole=ONE), Cause.ARCHIVE_MISSING))
    assert (finding.cause, finding.correction) == (Cause.ARCHIVE_MISSING, None)


def test_what_neither_topic_nor_table_has_is_missing_in_the_stream() -> None:
    finding = only(explain(evidence(realtime=NINE, topic=NINE)))
    assert (finding.cause, finding.scope) == (Cause.MISSING, Scope.STREAM)
    assert (finding.expected, finding.got, finding.correction) == (TEN, NINE, ONE)


def test_a_row_that_is_not_there_is_missing_in_the_table() -> None:
    finding = only(explain(evidence(realtime=None)))
    assert (finding.cause, finding.scope) == (Cause.MISSING, Scope.TABLE)
    assert finding.correction == TEN


def test_a_row_that_says_something_else_than_its_topic_is_altered() -> None:
    finding = only(explain(evidence(realtime=NINE)))
    assert (finding.cause, finding.scope) == (Cause.ALTERED, Scope.TABLE)
    assert (finding.expected, finding.got, finding.correction) == (TEN, NINE, ONE)


def test_a_row_that_is_a_multiple_of_its_topic_is_doubled() -> None:
    finding = only(explain(evidence(realtime=TEN.plus(TEN))))
    assert (finding.cause, finding.scope) == (Cause.DOUBLED, Scope.TABLE)
    assert finding.correction == Figures().minus(TEN)


def test_a_stream_that_says_a_multiple_has_doubled() -> None:
    twice = TEN.plus(TEN)
    finding = only(explain(evidence(realtime=twice, topic=twice)))
    assert (finding.cause, finding.scope) == (Cause.DOUBLED, Scope.STREAM)
    assert finding.correction == Figures().minus(TEN)


def test_a_window_that_was_closed_twice_and_says_too_much_is_doubled() -> None:
    more = TEN.plus(ONE)
    finding = only(explain(evidence(realtime=more, topic=more, on_time_deltas=2)))
    assert (finding.cause, finding.correction) == (Cause.DOUBLED, Figures().minus(ONE))


def test_a_surplus_that_nothing_explains_is_not_corrected() -> None:
    more = TEN.plus(ONE)
    finding = only(explain(evidence(realtime=more, topic=more)))
    assert (finding.cause, finding.correction) == (Cause.UNEXPLAINED, None)


def test_a_batch_that_lacks_rows_corrects_nothing_in_the_stream() -> None:
    twice = TEN.plus(TEN)
    finding = only(explain(evidence(realtime=twice, topic=twice), Cause.RAW_MISSING))
    assert (finding.cause, finding.correction) == (Cause.RAW_MISSING, None)
    finding = only(explain(evidence(realtime=NINE, topic=NINE), Cause.RAW_MISSING))
    assert (finding.cause, finding.correction) == (Cause.MISSING, None)


def test_what_is_left_when_dead_letters_are_explained_is_missing() -> None:
    eight = NINE.minus(ONE)
    dead, missing = explain(evidence(realtime=eight, topic=eight, dead=ONE))
    assert (dead.cause, dead.correction) == (Cause.DEAD_LETTER, None)
    assert (missing.cause, missing.expected, missing.correction) == (Cause.MISSING, NINE, ONE)


def test_a_stream_and_a_table_that_are_both_wrong_are_two_differences() -> None:
    table, stream = explain(evidence(topic=NINE, realtime=Figures(3)))
    assert (table.cause, table.scope, table.expected) == (Cause.ALTERED, Scope.TABLE, NINE)
    assert (stream.cause, stream.scope, stream.correction) == (Cause.MISSING, Scope.STREAM, ONE)
    assert table.correction is not None
    assert stream.correction is not None
    assert Figures(3).plus(table.correction).plus(stream.correction) == TEN


def test_where_deltas_are_gone_the_table_is_compared_with_the_batch() -> None:
    finding = only(explain(evidence(realtime=NINE, topic=None)))
    assert (finding.cause, finding.scope, finding.correction) == (
        Cause.MISSING,
        Scope.STREAM,
        ONE,
    )


def test_what_is_shown_is_bounded_and_errors_push_out_what_is_none() -> None:
    counter = Counter(2)
    for cause in (Cause.LATE, Cause.LATE, Cause.MISSING, Cause.ALTERED, Cause.MISSING):
        counter.add(cause, {"cause": cause})
    assert counter.by_cause == {Cause.LATE: 2, Cause.MISSING: 2, Cause.ALTERED: 1}
    assert counter.errors == 3
    assert [each["cause"] for each in counter.first] == [Cause.MISSING, Cause.ALTERED]
