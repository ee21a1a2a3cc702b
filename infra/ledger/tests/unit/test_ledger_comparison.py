"""The comparison of windows: finds every difference, and nothing else, wherever it lies."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.redis_layout import WindowSize
from roas_ledger.differences import Difference, Pair, Span, WindowComparison
from roas_ledger.totals import MEASURES, Cell, Series, WindowTotals, summed
from roas_ledger.windows import FIVE_MINUTES, ONE_MINUTE, iso

PAIR = Pair("windows", "the first", "the second", lambda size, start, series: "a table")
MINUTE = ONE_MINUTE.millis
Windows = dict[int, dict[Series, Cell]]

cells = st.lists(st.integers(1, 9), min_size=5, max_size=5)
series = st.tuples(st.sampled_from(["total", "campaign"]), st.sampled_from(["all", "a", "b"]))
windows = st.dictionaries(
    st.integers(0, 12).map(lambda minute: minute * MINUTE),
    st.dictionaries(series, cells, min_size=1, max_size=4),
    max_size=6,
)
spans = st.builds(
    Span,
    st.none() | st.integers(0, 12).map(lambda minute: minute * MINUTE),
    st.none() | st.integers(0, 13).map(lambda minute: minute * MINUTE),
)


def differences(
    expected: Mapping[int, Mapping[Series, Cell]],
    got: Mapping[int, Mapping[Series, Cell]],
    span: Span,
) -> list[Difference]:
    comparison = WindowComparison(PAIR, ONE_MINUTE, span, expected)
    for start in sorted(got):
        comparison.window(start, got[start])
    return comparison.finish()


def places(found: list[Difference]) -> set[tuple[str | None, str | None, str | None, str | None]]:
    return {(d.window_start, d.dimension, d.value, d.measure) for d in found}


ALL = Span(None, 99 * MINUTE)


@given(windows, spans)
def test_what_is_equal_has_no_difference(some: Windows, span: Span) -> None:
    assert differences(some, deepcopy(some), span) == []


@given(windows, windows, spans)
def test_the_differences_are_those_of_a_plain_look(
    expected: Windows, got: Windows, span: Span
) -> None:
    """Against the definition, written as plainly as can be."""
    keys = {(start, of) for side in (expected, got) for start in side for of in side[start]}
    nothing = [0] * 5
    plain = {
        (iso(start), of[0], of[1], MEASURES[index])
        for start, of in keys
        for index in range(5)
        if span.end is not None
        and (span.first or 0) <= start < span.end
        and expected.get(start, {}).get(of, nothing)[index]
        != got.get(start, {}).get(of, nothing)[index]
    }
    found = differences(expected, got, span)
    assert places(found) == plain
    assert len(found) == len(plain)


@given(windows.filter(bool), st.data())
def test_one_changed_number_is_one_difference(some: Windows, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(sorted(some)))
    of = data.draw(st.sampled_from(sorted(some[start])))
    index = data.draw(st.integers(0, 4))
    changed = deepcopy(some)
    changed[start][of][index] += data.draw(st.sampled_from([-7, -1, 1, 100]))
    (found,) = differences(some, changed, ALL)
    assert (found.expected, found.got) == (some[start][of][index], changed[start][of][index])
    assert places([found]) == {(iso(start), of[0], of[1], MEASURES[index])}


@given(windows.filter(bool), st.data())
def test_a_row_moved_to_another_window_shows_at_both(some: Windows, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(sorted(some)))
    of = data.draw(st.sampled_from(sorted(some[start])))
    moved = deepcopy(some)
    moved.setdefault(50 * MINUTE, {})[of] = moved[start].pop(of)
    found = differences(some, moved, ALL)
    assert {d.window_start for d in found} == {iso(start), iso(50 * MINUTE)}
    assert len(found) == 10


@given(windows, windows)
def test_comparing_is_symmetric_but_for_the_names(one: Windows, other: Windows) -> None:
    forth, back = differences(one, other, ALL), differences(other, one, ALL)
    assert places(forth) == places(back)
    assert sorted((str(d.expected), str(d.got)) for d in forth) == sorted(
        (str(d.got), str(d.expected)) for d in back
    )


def test_nothing_is_compared_without_a_horizon() -> None:
    assert differences({0: {("total", "all"): [1, 0, 0, 0, 0]}}, {}, Span(None, None)) == []


def test_a_difference_reads_as_a_sentence() -> None:
    (found,) = differences({60_000: {("campaign", "c"): [3, 0, 0, 0, 0]}}, {}, ALL)
    assert found.sentence() == (
        "a table 1m window 1970-01-01T00:01:00Z campaign=c impressions:"
        " the first says 3, the second says 0 (no such row)"
    )
    assert "partition" not in found.as_dict()


additions = st.lists(st.tuples(st.integers(0, 10**7), series, cells), max_size=30)


def filled(entries: list[tuple[int, Series, Cell]], size: WindowSize) -> WindowTotals:
    totals = WindowTotals(size)
    for time, of, values in entries:
        totals.add(time // size.millis * size.millis, of, values)
    return totals


@given(additions)
def test_five_minutes_are_the_sum_of_their_minutes(entries: list[tuple[int, Series, Cell]]) -> None:
    rolled = filled(entries, ONE_MINUTE).rolled_up(FIVE_MINUTES)
    assert rolled.windows == filled(entries, FIVE_MINUTES).windows


@given(additions, additions)
def test_a_sum_of_totals_is_the_totals_of_all(
    one: list[tuple[int, Series, Cell]], other: list[tuple[int, Series, Cell]]
) -> None:
    parts = [filled(one, ONE_MINUTE), filled(other, ONE_MINUTE)]
    assert summed(parts).windows == filled([*one, *other], ONE_MINUTE).windows


@given(additions, st.integers(0, 10**7))
def test_totals_split_at_any_window(entries: list[tuple[int, Series, Cell]], at: int) -> None:
    totals = filled(entries, ONE_MINUTE)
    whole = totals.total(0)
    assert totals.total(0, end=at) + totals.total(0, first=at) == whole
    later = totals.total(0, first=at)
    totals.drop_from(at)
    assert totals.total(0) == whole - later
