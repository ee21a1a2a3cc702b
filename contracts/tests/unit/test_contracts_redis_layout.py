"""The Redis layout's keys and values, without a Redis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.redis_layout import (
    LayoutError,
    Measures,
    WindowSize,
    WindowTotals,
    decode_totals,
    encode_totals,
    index_member,
    meta_key,
    parse_index_member,
    window_key,
)

counts = st.integers(-(2**62), 2**62)
measures = st.builds(Measures, counts, counts, counts, counts, counts) | st.just(Measures())
times = st.integers(0, 2**53)
rows = st.builds(
    WindowTotals,
    size=st.sampled_from(WindowSize),
    dimension=st.text(min_size=1),
    value=st.text(min_size=1),
    window_start=times,
    totals=measures,
    late=measures,
    correction=measures,
    revision=st.integers(0, 2**63 - 1),
    first_emitted_at=times,
    last_emitted_at=times,
    written_at=times,
)


@given(rows)
def test_a_row_comes_back_as_it_was(row: WindowTotals) -> None:
    text = encode_totals(row)
    assert decode_totals(row.size, row.dimension, row.window_start, row.value, text) == row


@given(rows)
def test_the_revision_and_the_totals_come_first(row: WindowTotals) -> None:
    """The scripts read them without looking at the rest."""
    head = encode_totals(row).partition("|")[0].split(",")
    assert [int(number) for number in head] == [row.revision, *row.totals.as_tuple()]


@given(rows)
def test_the_writer_can_date_a_row_anew(row: WindowTotals) -> None:
    text = encode_totals(row, 77)
    assert decode_totals(row.size, "d", 0, "v", text).written_at == 77


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,2,3|4|5|6", "1,2,3,4,5|1,2,3||", "1,2,3,4,5,6|1,2||", "a,2,3,4,5,6|1,2,3||"],
)
def test_what_we_did_not_write_is_named(text: str) -> None:
    with pytest.raises(LayoutError, match=r"roas:v1:\{1m\}:w:campaign:60000, field 'c1'"):
        decode_totals(WindowSize.ONE_MINUTE, "campaign", 60_000, "c1", text)


@given(st.text(), st.integers(0, 2**53))
def test_an_index_member_comes_apart(dimension: str, start: int) -> None:
    assert parse_index_member(index_member(dimension, start)) == (dimension, start)


def test_an_index_member_without_a_start_is_named() -> None:
    with pytest.raises(LayoutError, match="'campaign:soon'"):
        parse_index_member("campaign:soon")


def test_keys_are_as_documented() -> None:
    assert window_key(WindowSize.ONE_MINUTE, "campaign", 1413849600000) == (
        "roas:v1:{1m}:w:campaign:1413849600000"
    )
    assert meta_key(WindowSize.FIVE_MINUTES) == "roas:v1:{5m}:meta"


@given(measures, measures)
def test_measures_add_and_subtract(one: Measures, other: Measures) -> None:
    assert (one + other) - other == one
    assert (one + other).impressions == one.impressions + other.impressions
    assert (one + other).revenue_micros == one.revenue_micros + other.revenue_micros


def test_ctr_is_none_without_impressions() -> None:
    assert Measures(0, 3).ctr is None
    assert Measures(4, 1).ctr == 0.25
