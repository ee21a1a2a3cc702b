"""The economics model: deterministic, inside its ranges, strict about its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import PricingModel
from roas_producer import economics
from roas_producer.draws import WORDS, Draws, draws
from roas_producer.economics import MICROS

SHIPPED = economics.load(None)
words = st.integers(0, WORDS - 1)


@given(st.text(max_size=30))
def test_a_campaign_pays_either_per_click_or_per_impression_within_the_ranges(
    campaign: str,
) -> None:
    terms = SHIPPED.terms(campaign)
    if terms.pricing_model is PricingModel.CPC:
        assert terms.impression_cost_micros == 0
        assert 0.05 * MICROS <= terms.click_cost_micros <= 0.60 * MICROS
    else:
        assert terms.pricing_model is PricingModel.CPM
        assert terms.click_cost_micros == 0
        assert 0.008 * MICROS <= terms.impression_cost_micros <= 0.090 * MICROS
    assert 0.005 <= terms.converts_after_click_below / WORDS <= 0.030
    assert terms == economics.load(None).terms(campaign)


def test_the_declared_share_of_campaigns_pays_per_click() -> None:
    paying = sum(SHIPPED.terms(str(number)).click_cost_micros > 0 for number in range(5_000))
    assert paying / 5_000 == pytest.approx(0.6, abs=0.03)


@given(words, words)
def test_delays_and_order_values_are_bounded(delay: int, value: int) -> None:
    dice = Draws(0, 0, 0, delay, value)
    assert 5_000 <= SHIPPED.conversion_delay_ms(dice) <= 6 * 3_600_000
    assert 0 <= SHIPPED.order_value_micros(SHIPPED.terms("1"), dice) <= 2_000 * MICROS


def test_orders_scatter_around_their_campaigns_median() -> None:
    terms = SHIPPED.terms("1722")
    values = sorted(
        SHIPPED.order_value_micros(terms, draws(str(number))) for number in range(5_001)
    )
    assert values[2_500] / MICROS == pytest.approx(terms.order_median, rel=0.05)


def test_another_seed_deals_differently(tmp_path: Path) -> None:
    other = tmp_path / "economics.toml"
    shipped = Path(economics.__file__).with_name("economics.toml").read_text()
    other.write_text(shipped.replace('seed = "roas"', 'seed = "other"'))
    model = economics.load(other)
    assert model.fingerprint != SHIPPED.fingerprint
    assert [model.terms(str(n)) for n in range(9)] != [SHIPPED.terms(str(n)) for n in range(9)]


@pytest.mark.parametrize(
    ("find", "replacement", "named"),
    [
        ("sigma = 0.6", "sigma = 0.6\nsigmo = 1", "order_value.sigmo"),
        ("sigma = 0.6", "", "order_value.sigma"),
        ("per_click = [0.05, 0.60]", "per_click = [0.6, 0.05]", "price.per_click"),
        ("after_click = [0.005, 0.030]", "after_click = [0.5, 1.5]", "conversion.after_click"),
        ("delay_max_seconds = 21600", "delay_max_seconds = 86401", "delay_max_seconds"),
        ("version = 1", "version = 2", "version"),
        ("version = 1", "version =", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_key(
    tmp_path: Path, find: str, replacement: str, named: str
) -> None:
    shipped = Path(economics.__file__).with_name("economics.toml").read_text()
    assert find in shipped
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace(find, replacement))
    with pytest.raises(MisconfigurationError, match=named) as raised:
        economics.load(path)
    assert "mine.toml" in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisconfigurationError, match=r"gone\.toml"):
        economics.load(tmp_path / "gone.toml")
