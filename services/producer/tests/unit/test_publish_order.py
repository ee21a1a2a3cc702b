"""Order: nothing is late that need not be, and the order is the same in every run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.errors import InputError
from roas_contracts.events import DeadLetterReason
from roas_producer.feed import Record
from roas_producer.publish.arrivals import Arrival, packed, unpacked
from roas_producer.publish.limit import LEADING, BadRowLimit
from roas_producer.publish.reordering import Reordering
from roas_producer.publish.sorting import SortedOnDisk
from roas_producer.rows import BadRow

times = st.lists(st.integers(-50, 50), max_size=200)


@given(times, st.integers(1, 30))
def test_sorted_on_disk_is_a_stable_sort(given_times: list[int], run_rows: int) -> None:
    rows = SortedOnDisk(run_rows)
    for number, time_ms in enumerate(given_times):
        rows.add(time_ms, str(number).encode() * (number % 7))
    expected = sorted(
        ((t, str(n).encode() * (n % 7)) for n, t in enumerate(given_times)),
        key=lambda pair: pair[0],
    )
    assert list(rows) == expected
    rows.close()


def test_large_rows_cross_the_blocks_that_are_read() -> None:
    rows = SortedOnDisk(3)
    payloads = [(-n % 5, bytes([n]) * (30_000 * n)) for n in range(10)]
    for time_ms, payload in payloads:
        rows.add(time_ms, payload)
    assert list(rows) == sorted(payloads, key=lambda pair: pair[0])
    rows.close()


@given(times)
def test_within_the_bound_nothing_is_late(given_times: list[int]) -> None:
    # Each time is at most the bound behind the newest before it.
    newest, furthest = -(10**9), 0
    for time_ms in given_times:
        newest = max(newest, time_ms)
        furthest = max(furthest, newest - time_ms)
    order: Reordering[int] = Reordering(furthest)
    out = [pair for n, t in enumerate(given_times) for pair in order.add(t, n)]
    out += order.rest()
    assert order.too_late == 0
    assert out == sorted(((t, n) for n, t in enumerate(given_times)), key=lambda pair: pair[0])


@given(times, st.integers(0, 20))
def test_a_shorter_bound_sends_everything_once_and_never_goes_back(
    given_times: list[int], bound: int
) -> None:
    order: Reordering[int] = Reordering(bound)
    out = [pair for n, t in enumerate(given_times) for pair in order.add(t, n)]
    out += order.rest()
    places = [place for place, _ in out]
    assert places == sorted(places)
    assert sorted(number for _, number in out) == list(range(len(given_times)))
    moved = sum(place != given_times[number] for place, number in out)
    assert moved == order.too_late


def test_what_would_not_fit_into_memory_is_refused() -> None:
    order: Reordering[int] = Reordering(1_000, most_held=10)
    for number in range(10):
        assert list(order.add(number, number)) == []
    with pytest.raises(InputError, match="--out-of-order"):
        list(order.add(10, 10))


@given(
    st.one_of(
        st.builds(Record, st.text(max_size=5), st.binary(max_size=9), st.binary(max_size=5)),
        st.builds(
            BadRow,
            st.integers(0, 2**40),
            st.sampled_from(DeadLetterReason),
            st.text(max_size=5),
            st.binary(max_size=9),
            st.none(),
        ),
    )
)
def test_an_arrival_survives_the_disk(arrival: Arrival) -> None:
    again = unpacked(packed(arrival))
    assert again == arrival
    assert type(again) is type(arrival)


def bad(line: int) -> BadRow:
    return BadRow(line, DeadLetterReason.INVALID_FIELD, "no", b"raw")


def test_a_head_without_one_good_row_stops_the_run() -> None:
    limit = BadRowLimit("ads.csv", 1.0)
    for line in range(1, LEADING):
        limit.add(bad(line))
    with pytest.raises(InputError, match=r"not one of the first 1,000 rows .*row 1: INVALID_FIELD"):
        limit.add(bad(LEADING))


def test_the_share_counts_from_a_thousand_rows_on() -> None:
    limit = BadRowLimit("ads.csv", 0.5)
    for line in range(999):
        limit.good() if line % 3 == 0 else limit.add(bad(line))
    limit.check()
    limit.add(bad(1000))
    with pytest.raises(InputError, match="667 of 1,000 rows are bad"):
        limit.check()
