"""Event time, click delay, timeline and pace: the producer's clocks."""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.errors import MisconfigurationError
from roas_producer.clicks import MAX_DELAY_MS, MIN_DELAY_MS, click_delay_ms
from roas_producer.draws import WORDS, draws, threshold, unit
from roas_producer.event_time import spread
from roas_producer.pacing import Pace, parse_speed
from roas_producer.rows import HOUR_MS
from roas_producer.timeline import Timeline

words = st.integers(0, WORDS - 1)
times = st.integers(1_262_304_000_000, 4_000_000_000_000)
speeds = st.fractions(min_value=Fraction(1, 100), max_value=10_000).filter(lambda f: f > 0)


def test_the_ith_of_n_rows_is_at_i_nths_of_the_hour() -> None:
    assert [spread(1000, i, 4) for i in range(4)] == [1000, 901_000, 1_801_000, 2_701_000]
    assert spread(0, 1, 7) == HOUR_MS // 7


@given(st.integers(1, 10**6), st.data())
def test_event_times_never_fall_and_stay_inside_the_hour(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    time = spread(0, index, count)
    assert 0 <= time < HOUR_MS
    assert index == 0 or spread(0, index - 1, count) <= time


def test_draws_are_the_documented_words() -> None:
    digest = blake2b(b"1000009418151094273", digest_size=40, person=b"roas-producer-1").digest()
    expected = [int.from_bytes(digest[at : at + 8], "big") for at in range(0, 40, 8)]
    assert list(draws("1000009418151094273")) == expected


@given(words)
def test_a_click_delay_is_the_documented_formula_and_bounded(word: int) -> None:
    delay = click_delay_ms(word)
    assert delay == min(1_800_000, 1_000 + int(45_000 * -log((word + 1) / 2**64)))
    assert MIN_DELAY_MS <= delay <= MAX_DELAY_MS


def test_click_delays_have_the_documented_mean() -> None:
    delays = [click_delay_ms(draws(str(number)).click_delay) for number in range(20_000)]
    assert sum(delays) / len(delays) == pytest.approx(46_000, rel=0.03)


@given(st.floats(0, 1))
def test_a_threshold_is_hit_with_its_probability(probability: float) -> None:
    assert threshold(probability) / WORDS == pytest.approx(probability)
    assert unit(WORDS - 1) == 1.0


@given(times, times, speeds, times)
def test_a_rebased_timeline_starts_at_now_and_keeps_the_order(
    first: int, other: int, speed: Fraction, now: int
) -> None:
    first, other = min(first, other), max(first, other)
    line = Timeline.starting_at(first, now, speed)
    assert line.sent(first) == now
    assert line.sent(other) >= now
    assert abs(line.sent(other) - now - (other - first) / speed) <= 1


@given(times, speeds, times, st.integers(-(10**7), 10**7))
def test_what_was_surely_sent_was_sent(own: int, speed: Fraction, now: int, apart: int) -> None:
    line = Timeline.starting_at(own, now, speed)
    through = now + apart
    assert line.sent(line.own_sent_by(through)) <= through


def test_an_unchanged_timeline_changes_nothing() -> None:
    assert Timeline.unchanged().sent(123_456) == 123_456
    assert Timeline.unchanged().own_sent_by(123_456) == 123_456


@given(speeds, times, times, st.integers(0, 10**8))
def test_after_the_wait_an_event_is_due_and_not_before(
    speed: Fraction, event: int, wall: int, ahead: int
) -> None:
    pace = Pace(speed, event, wall)
    later = event + ahead
    wait = pace.wait_ms(later, wall)
    assert pace.horizon_ms(wall + wait) >= later
    assert wait == 0 or pace.horizon_ms(wall + wait - 1) < later


@given(times, times)
def test_nothing_is_sent_before_its_time_even_at_full_speed(event: int, wall: int) -> None:
    pace = Pace(None, event, wall)
    assert pace.horizon_ms(wall) == wall
    assert pace.wait_ms(event, wall) == max(0, event - wall)


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("max", None),
        ("MAX", None),
        ("1", Fraction(1)),
        ("200x", Fraction(200)),
        ("0.1", Fraction(1, 10)),
    ],
)
def test_speeds_that_are_understood(text: str, speed: Fraction | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "1/2", "nan", "inf", "1e3", "x"])
def test_speeds_that_are_refused(text: str) -> None:
    with pytest.raises(MisconfigurationError, match="--speed"):
        parse_speed(text)
