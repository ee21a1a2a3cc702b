"""Event clocks, the horizon, what retention leaves, and the latency that follows from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.redis_layout import Measures, WindowTotals
from roas_ledger.horizon import PartitionClock, horizon
from roas_ledger.kafka_reader import Extent
from roas_ledger.latency import measure, percentiles
from roas_ledger.record import Partition
from roas_ledger.retention import differences, first_comparable
from roas_ledger.windows import FIVE_MINUTES, ONE_MINUTE, iso

MINUTE = 60_000
LAG = 5_000
clocks = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)),
    st.none() | st.integers(0, 10**8),
    max_size=6,
)


@given(clocks)
def test_the_slowest_partition_holds_the_horizon(known: dict[Partition, int | None]) -> None:
    found = horizon(known, LAG)
    spoken = [clock for clock in known.values() if clock is not None]
    assert set(found.silent) == {at for at, clock in known.items() if clock is None}
    if not spoken:
        assert found.watermark is None
        assert found.end(ONE_MINUTE) is None
        return
    assert found.watermark == min(spoken) - LAG
    assert found.held_by is not None
    assert known[found.held_by] == min(spoken)
    for size in (ONE_MINUTE, FIVE_MINUTES):
        end = found.end(size)
        assert end is not None
        # The last closed window ends at or before the watermark, the next one behind it.
        assert end <= found.watermark < end + size.millis


def test_a_window_closes_with_the_record_that_passes_its_end_and_the_out_of_orderness() -> None:
    clock = PartitionClock(LAG)
    for time, sent_at in ((MINUTE, 10), (MINUTE + LAG - 1, 20), (MINUTE + LAG, 30), (5, 40)):
        clock.advance(time, sent_at)
    assert clock.closed_at(MINUTE) == 30
    assert clock.closed_at(2 * MINUTE) is None
    assert clock.newest == MINUTE + LAG
    clock.advance(10 * MINUTE, 50)
    assert clock.closed_at(2 * MINUTE) == clock.closed_at(9 * MINUTE) == 50


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 100)), max_size=40))
def test_closing_times_are_those_of_a_plain_look(steps: list[tuple[int, int]]) -> None:
    clock = PartitionClock(LAG)
    for time, sent_at in steps:
        clock.advance(time, sent_at)
    for end in range(0, 10**6, MINUTE):
        plain = next((sent for time, sent in steps if time - LAG >= end), None)
        assert clock.closed_at(end) == plain


def total_row(start: int, emitted: int, written: int, revision: int = 1) -> WindowTotals:
    return WindowTotals(
        size=ONE_MINUTE,
        dimension="total",
        value="all",
        window_start=start,
        totals=Measures(impressions=1),
        revision=revision,
        first_emitted_at=emitted,
        last_emitted_at=emitted,
        written_at=written,
    )


def test_latency_counts_from_the_slowest_partition_and_first_writes_only() -> None:
    fast, slow, silent = (PartitionClock(LAG) for _ in range(3))
    fast.advance(10 * MINUTE, 1_000)
    slow.advance(MINUTE + LAG, 1_500)
    rows = [
        total_row(0, emitted=2_000, written=2_600),
        total_row(0, emitted=2_000, written=9_000, revision=2),
        total_row(MINUTE, emitted=3_000, written=3_100),
        total_row(0, emitted=100, written=400),
    ]
    clocks = {("a", 0): fast, ("a", 1): slow, ("b", 0): silent}
    found = measure(rows, clocks, warmed_at=500)
    assert found.windows == 2
    assert found.close_to_redis is not None
    assert (found.close_to_redis.p50, found.close_to_redis.max) == (100, 600)
    assert found.sent_to_redis is not None
    # The second window is not closed by the slow partition yet: only the first one counts.
    assert (found.sent_to_redis.p50, found.sent_to_redis.max) == (1_100, 1_100)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_percentiles_are_values_that_occurred(values: list[int]) -> None:
    found = percentiles(values)
    assert found is not None
    assert {found.p50, found.p99, found.max} <= set(values)
    assert found.p50 <= found.p99 <= found.max == max(values)
    assert sum(value <= found.p50 for value in values) * 2 >= len(values)
    assert percentiles([]) is None


def test_retention_leaves_windows_that_are_whole() -> None:
    extents = {("a", 0): Extent(0, 9, 9), ("a", 1): Extent(4, 9, 9)}
    first = first_comparable(extents, {("a", 0): 0, ("a", 1): 7 * MINUTE}, LAG)
    assert first == 10 * MINUTE
    (found,) = differences(extents)
    assert (found.place, found.expected, found.got) == ("a/1", 0, 4)
    nothing_gone = {("a", 0): Extent(0, 9, 9)}
    assert first_comparable(nothing_gone, {}, LAG) is None
    assert list(differences(nothing_gone)) == []


def test_a_partition_of_which_nothing_is_left_leaves_nothing_to_compare() -> None:
    first = first_comparable({("a", 1): Extent(4, 4, 4)}, {}, LAG)
    assert first is not None
    assert first > 10**18


def test_times_without_a_date_stay_numbers() -> None:
    assert iso(1_413_849_600_000) == "2014-10-21T00:00:00Z"
    assert iso(1_413_849_600_001) == "2014-10-21T00:00:00.001Z"
    assert iso(2**62) == f"{2**62} ms"
