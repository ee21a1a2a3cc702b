"""The fit: hierarchies read off totals, calibrated click rates, the number of different devices."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from roas_contracts.errors import InputError
from roas_producer.generator.fit import activity, popularity, published
from roas_producer.generator.fit.assignment import assign, assign_runs
from roas_producer.generator.fit.calibration import Factor, calibrate
from roas_producer.generator.fit.figures import reduced_figures
from roas_producer.generator.model import FIGURES_FILE


def test_a_hierarchy_is_read_off_the_totals() -> None:
    random = np.random.default_rng(5)
    # As campaigns are: some of one creative, some of two, some of more.
    owner = np.array([0, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5])
    items = np.floor(random.uniform([5_000, 300], [90_000, 20_000], (len(owner), 2)))
    bins = np.zeros((6, 2))
    np.add.at(bins, owner, items)
    found = assign(items, bins)
    assert found[:6].tolist() == owner[:6].tolist()
    sums = np.zeros((6, 2))
    np.add.at(sums, found, items)
    np.testing.assert_allclose(sums, bins, rtol=0.02)


def test_neighbouring_ids_are_matched_as_runs_also_around_foreign_ones() -> None:
    random = np.random.default_rng(6)
    owner = np.array([0, 0, 0, 1, 1, 2, 1, 1, 2, 2])
    items = np.floor(random.uniform([5_000, 300], [90_000, 20_000], (len(owner), 2)))
    bins = np.zeros((3, 2))
    np.add.at(bins, owner, items)
    found = assign_runs(items, bins)
    matched = found >= 0
    assert found[:3].tolist() == [0, 0, 0]
    assert (found[matched] == owner[matched]).all()


def test_calibrated_effects_give_the_published_rates_of_every_value_and_hour() -> None:
    random = np.random.default_rng(7)
    day_rows = np.array([3e6, 2e6, 4e6])
    hour_share = np.full(24, 1 / 24)
    hours = np.broadcast_to(np.array([[0.15], [0.18], [0.16]]), (3, 24)).copy()
    overall = float(day_rows @ hours[:, 0] / day_rows.sum())
    factors = []
    for size in (3, 5):
        days = np.outer(random.dirichlet(np.ones(size)), day_rows)
        rates = overall * random.uniform(0.3, 2.5, size)
        rates *= overall / (days.sum(axis=1) @ rates / day_rows.sum())  # margins must agree
        rows = days.sum(axis=1)
        factors.append(Factor.of(days, np.stack([rows, rows * rates], axis=1), overall))
    effects = calibrate(factors, day_rows, hour_share, hours)

    first, second = factors
    score = first.effect[:, None] + second.effect[None, :]
    by_day = 1 / (1 + np.exp(-(score[None] + effects[:, 0, None, None])))
    weight = first.share.T[:, :, None] * second.share.T[:, None, :] * day_rows[:, None, None]
    clicks = by_day * weight
    np.testing.assert_allclose(
        clicks.sum(axis=(0, 2)) / weight.sum(axis=(0, 2)), first.rate, atol=5e-4
    )
    np.testing.assert_allclose(
        clicks.sum(axis=(0, 1)) / weight.sum(axis=(0, 1)), second.rate, atol=5e-4
    )
    np.testing.assert_allclose(
        clicks.sum(axis=(1, 2)) / weight.sum(axis=(1, 2)), hours[:, 0], atol=5e-4
    )


def test_a_table_is_balanced_to_both_margins_and_zeros_stay() -> None:
    start = np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 1.0], [0.0, 3.0, 1.0]])
    rows, columns = np.array([10.0, 20.0, 30.0]), np.array([12.0, 28.0, 20.0])
    table = activity.balance(start, rows, columns)
    np.testing.assert_allclose(table.sum(axis=1), rows, rtol=1e-6)
    np.testing.assert_allclose(table.sum(axis=0), columns, rtol=1e-6)
    assert table[0, 2] == 0
    assert table[2, 0] == 0


def test_draws_show_the_asked_number_of_different_ranks() -> None:
    drawn, distinct = 200_000, 60_000
    fitted = popularity.fit(drawn, distinct, 0.9)
    ranks = fitted.draw(np.random.default_rng(8).random(drawn))
    assert len(np.unique(ranks)) == pytest.approx(distinct, rel=0.02)
    assert ranks.max() < fitted.ranks
    # Heavy-tailed: the most frequent one is far above the average.
    assert np.bincount(ranks.astype(np.int64)).max() > 20 * drawn / distinct


def test_a_missing_file_of_figures_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"counts\.csv|figures\.json"):
        published.load(tmp_path / "figures.json", tmp_path / "counts.csv")


def test_the_figures_that_ship_are_the_published_ones() -> None:
    folder = Path(os.environ.get("ROAS_AVAZU_DIR", "../shared/data/avazu"))
    statistics, counts = folder / "full-set-statistics.json", folder / "value-counts.csv"
    if not (statistics.is_file() and counts.is_file()):
        pytest.skip(f"the published figures are not in {folder} (ROAS_AVAZU_DIR says where)")
    shipped = files("roas_producer.generator").joinpath(FIGURES_FILE).read_text(encoding="utf-8")
    assert json.loads(shipped) == reduced_figures(published.load(statistics, counts))
