"""The deterministic sequence: complete, ordered, the same however it is read or cut."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from producer_rows import FIRST_HOUR_MS, ad_row, hour_blocks

from roas_producer import economics
from roas_producer.clicks import click_delay_ms
from roas_producer.draws import draws
from roas_producer.event_time import SpreadTimes, spread
from roas_producer.rows import HOUR_MS, AdRow, BadRow, HourBlock
from roas_producer.sampling import taken_below
from roas_producer.sequence import (
    BlockEnd,
    Kind,
    Occurrence,
    Selection,
    max_delay_ms,
    sequence,
)

MODEL = economics.load(None)


def events(blocks: list[HourBlock], selection: Selection | None = None) -> list[Occurrence]:
    steps = sequence(blocks, MODEL, selection or Selection())
    return [step for step in steps if isinstance(step, Occurrence)]


@given(hour_blocks())
def test_every_row_comes_out_once_at_its_time(blocks: list[HourBlock]) -> None:
    out = events(blocks)
    shown = {step.row: step.time_ms for step in out if step.kind is Kind.IMPRESSION}
    for block in blocks:
        assert isinstance(block.times, SpreadTimes)
        count, bad_places = block.times.count, set(block.times.bad_places)
        places = [place for place in range(count) if place not in bad_places]
        for place, row in zip(places, block.rows, strict=True):
            assert shown.pop(row) == spread(block.start_ms, place, count)
    assert not shown
    bad = [step.row for step in out if isinstance(step.row, BadRow)]
    assert [row._replace(time_ms=None) for row in bad] == [
        row for block in blocks for row in block.bad
    ]


@given(hour_blocks())
def test_clicks_are_the_labels_at_the_documented_delay(blocks: list[HourBlock]) -> None:
    clicks = {step.row: step for step in events(blocks) if step.kind is Kind.CLICK}
    rows = [row for block in blocks for row in block.rows]
    assert set(clicks) == {row for row in rows if row.click}
    for row, click in clicks.items():
        assert isinstance(row, AdRow)
        delay = click_delay_ms(draws(row.id).click_delay)
        assert click.time_ms - click.impression_ms == delay
        assert click.click_ms == click.time_ms


@given(hour_blocks())
def test_the_order_is_total_and_never_goes_back(blocks: list[HourBlock]) -> None:
    keys = [tuple(step[:3]) for step in events(blocks)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(hour_blocks())
def test_a_block_end_keeps_its_promise(blocks: list[HourBlock]) -> None:
    promised = 0
    newest = 0
    for step in sequence(blocks, MODEL):
        if isinstance(step, BlockEnd):
            promised = step.clock_ms
            assert newest < promised
        else:
            assert step.time_ms >= promised
            newest = step.time_ms


@given(hour_blocks())
def test_nothing_comes_later_than_the_longest_delay(blocks: list[HourBlock]) -> None:
    longest = max_delay_ms(MODEL)
    assert all(step.time_ms - step.impression_ms <= longest for step in events(blocks))


@given(hour_blocks(), st.integers(1, 60))
def test_a_limit_keeps_the_first_rows_and_what_follows_from_them(
    blocks: list[HourBlock], limit: int
) -> None:
    everything = events(blocks)
    rows = [step for step in everything if step.kind in (Kind.IMPRESSION, Kind.BAD_ROW)]
    kept = {(step.ordinal, step.kind is Kind.BAD_ROW) for step in rows[:limit]}
    expected = [s for s in everything if (s.ordinal, s.kind is Kind.BAD_ROW) in kept]
    assert events(blocks, Selection(limit=limit)) == expected


@given(hour_blocks(), st.floats(0.01, 1))
def test_a_sample_keeps_whole_rows_at_their_times(blocks: list[HourBlock], share: float) -> None:
    below = taken_below(share)
    everything = events(blocks)
    sampled = events(blocks, Selection(sample_below=below))
    kept = [
        step
        for step in everything
        if isinstance(step.row, AdRow) and draws(step.row.id).sample < below
    ]
    assert [step for step in sampled if isinstance(step.row, AdRow)] == kept
    assert set(sampled) <= set(everything)


def test_a_sample_takes_about_its_share() -> None:
    block = HourBlock(FIRST_HOUR_MS, [ad_row(number) for number in range(20_000)])
    taken = len(events([block], Selection(sample_below=taken_below(0.01))))
    assert 150 < taken < 250


@given(hour_blocks())
def test_starting_at_a_later_hour_gives_the_tail(blocks: list[HourBlock]) -> None:
    first_kept = len(blocks) // 2
    tail = blocks[first_kept:]
    rows_of_tail = {row for block in tail for row in block.rows}
    expected = [
        (step.time_ms, step.kind, step.row, step.micros)
        for step in events(blocks)
        if step.row in rows_of_tail or isinstance(step.row, BadRow) and _in(step.row, tail)
    ]
    assert [(s.time_ms, s.kind, s.row, s.micros) for s in events(tail)] == expected


def _in(row: BadRow, blocks: list[HourBlock]) -> bool:
    return any(row._replace(time_ms=None) == bad for block in blocks for bad in block.bad)


def test_unlabelled_rows_have_no_consequences() -> None:
    block = HourBlock(FIRST_HOUR_MS, [ad_row(number, click=None) for number in range(5_000)])
    assert {step.kind for step in events([block])} == {Kind.IMPRESSION}


def test_conversions_follow_the_model() -> None:
    count = 40_000
    rows = [ad_row(number, click=number % 2 == 0) for number in range(count)]
    kinds = Counter(step.kind for step in events([HourBlock(FIRST_HOUR_MS, rows)]))
    terms = MODEL.terms("7")
    expected = count / 2 * (terms.converts_after_click_below + terms.converts_after_view_below)
    assert abs(kinds[Kind.CONVERSION] - expected / 2**64) < 4 * (expected / 2**64) ** 0.5


def test_costs_go_to_impressions_or_clicks_and_revenue_to_conversions() -> None:
    rows = [ad_row(n, click=True, campaign=str(n % 40)) for n in range(4_000)]
    for step in events([HourBlock(FIRST_HOUR_MS + HOUR_MS, rows)]):
        assert isinstance(step.row, AdRow)
        terms = MODEL.terms(step.row.C17)
        assert step.pricing_model is terms.pricing_model
        if step.kind is Kind.IMPRESSION:
            assert step.micros == terms.impression_cost_micros
        elif step.kind is Kind.CLICK:
            assert step.micros == terms.click_cost_micros
        else:
            assert step.micros > 0
