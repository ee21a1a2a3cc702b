"""Generated rows against the published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from generated_sample import FIELDS, figures, tally

from roas_producer.generator.arrays import Floats
from roas_producer.generator.model import load_model

_DRAWN_DIRECTLY = [
    *("C1", "C14", "C20", "app_id", "banner_pos"),
    *("device_conn_type", "device_model", "device_type", "site_id"),
]
"""Columns that are drawn as published: only chance may separate them from their figures."""

_DETERMINED = sorted(set(FIELDS) - set(_DRAWN_DIRECTLY))
"""Columns that follow from another: which value belongs to which was read off the totals, and
where that has no exact answer a few percent are left."""

_SIGMAS = 5.0
"""Some 500 comparisons: chance alone stays below this."""


def test_days_have_the_published_share_of_rows() -> None:
    expected = _shares(figures().day_impressions) * tally().rows
    np.testing.assert_allclose(tally().days[:, 0], expected, atol=1.0)


def test_hours_of_day_have_the_published_share_of_rows() -> None:
    expected = _shares(figures().hour_of_day_impressions) * tally().rows
    # Each of the ten days rounds its own hours.
    np.testing.assert_allclose(tally().hours[:, 0], expected, atol=10.0)


def test_click_rate_over_all_rows() -> None:
    rows, clicks = tally().days.sum(axis=0)
    assert clicks / rows == pytest.approx(figures().clicks / figures().rows, abs=0.0012)


def test_click_rate_by_day() -> None:
    _assert_rates(tally().days, np.array(figures().day_ctr))


def test_click_rate_by_hour_of_day() -> None:
    _assert_rates(tally().hours, np.array(figures().hour_of_day_ctr))


@pytest.mark.parametrize("field", _DRAWN_DIRECTLY)
def test_most_frequent_values_of_a_drawn_column(field: str) -> None:
    generated = tally().of(field)
    share = tally().rows / figures().rows
    for value, (rows, clicks) in figures().values[field].items():
        got_rows, got_clicks = generated[value]
        # Rows: Poisson around the published number. A known device keeps its model, so that the
        # models of the devices seen most often are a little off in every run.
        lumps = 0.02 * rows * share if field == "device_model" else 0.0
        assert abs(got_rows - rows * share) <= _SIGMAS * math.sqrt(rows * share) + lumps + 1
        if got_rows >= 400:
            rate = clicks / rows
            chance = math.sqrt(rate * (1 - rate) / got_rows)
            assert got_clicks / got_rows == pytest.approx(rate, abs=_SIGMAS * chance + 0.003), value


@pytest.mark.parametrize("field", _DETERMINED)
def test_most_frequent_values_of_a_determined_column(field: str) -> None:
    generated = tally().of(field)
    share = tally().rows / figures().rows
    for value, (rows, clicks) in figures().values[field].items():
        got_rows, got_clicks = generated[value]
        chance = _SIGMAS * math.sqrt(rows * share)
        assert abs(got_rows - rows * share) <= 0.12 * rows * share + chance + 1, value
        if got_rows >= 400:
            rate = clicks / rows
            chance = math.sqrt(rate * (1 - rate) / got_rows)
            assert got_clicks / got_rows == pytest.approx(rate, abs=_SIGMAS * chance + 0.05), value


@pytest.mark.parametrize("field", _DETERMINED)
def test_a_determined_column_is_near_its_figures_as_a_whole(field: str) -> None:
    """Total variation: half the sum of differences of shares, over the most frequent values."""
    generated = tally().of(field)
    published = figures().values[field]
    distance = sum(
        abs(generated[value][0] / tally().rows - rows / figures().rows)
        for value, (rows, _) in published.items()
    )
    assert distance / 2 < 0.01


@pytest.mark.parametrize(
    "field", ["C14", "C17", "C19", "C20", "C21", "site_id", "app_id", "device_model"]
)
def test_there_are_as_many_values_as_published(field: str) -> None:
    """Most of them too rare to be published one by one; a campaign or a code may have nobody."""
    published = figures().cardinality[field]
    assert 0.95 * published <= len(tally().of(field)) <= published


@pytest.mark.parametrize("field", ["C14", "site_id", "app_id", "device_model"])
def test_rare_values_do_occur(field: str) -> None:
    seen_once_or_twice = [rows for rows, _ in tally().of(field).values() if 1 <= rows <= 2]
    assert len(seen_once_or_twice) > 100


def test_share_of_rows_without_device() -> None:
    """Known from the sample rows only (0.873 in one hour): mostly sites have none."""
    assert 0.80 < tally().without_device < 0.85


def test_campaigns_come_and_go() -> None:
    by_day = tally().campaigns_by_day
    always = set.intersection(*by_day)
    ever = set.union(*by_day)
    later = ever - by_day[0]
    ended = by_day[0] - by_day[9]
    assert len(always) > 50
    assert len(later) > 50
    assert len(ended) > 20


def test_the_mix_of_creatives_drifts_from_day_to_day() -> None:
    """The share of a large creative that runs all the time is not the same every day."""
    days = load_model().creative_days
    shares = days / days.sum(axis=0)
    running = shares[(shares > 0).all(axis=1)]
    largest = running[np.argsort(-running.mean(axis=1))[:20]]
    ratio = largest.max(axis=1) / largest.min(axis=1)
    assert np.median(ratio) > 1.2


def _shares(numbers: list[int]) -> Floats:
    amounts = np.array(numbers, dtype=float)
    return np.asarray(amounts / amounts.sum())


def _assert_rates(counted: Floats, expected: Floats) -> None:
    """Chi-square over all groups, and no single one far off."""
    rows, clicks = counted[:, 0], counted[:, 1]
    deviation = (clicks - rows * expected) / np.sqrt(rows * expected * (1 - expected))
    assert np.abs(clicks / rows - expected).max() < 0.005
    # Mean of chi-square with n degrees of freedom is n, its standard deviation sqrt(2n).
    assert (deviation**2).sum() < len(rows) + _SIGMAS * math.sqrt(2 * len(rows))
