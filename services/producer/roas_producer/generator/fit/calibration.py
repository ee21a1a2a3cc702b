"""Effects on the click probability, so that every published click rate comes out.

A row's click probability is the logistic function of a sum of effects, one per column and one for
the hour. For each value, the mean of that probability over everything else that varies must be the
value's published rate. Columns are drawn independently within a day, so "everything else" has a
distribution that is a convolution, and each effect is found exactly by inverting a monotone curve.
Going round the columns a few times settles them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roas_producer.generator.arrays import Floats

_STEP = 0.02
_HALF = 800
_GRID = np.arange(-_HALF, _HALF + 1) * _STEP
_SIZE = 8192
_ROUNDS = 25
_PRIOR_ROWS = 20.0
"""A value's rate is drawn towards the overall one as if it had so many more rows: a value shown
50 times and never clicked is not one that cannot be clicked."""


@dataclass(slots=True)
class Factor:
    """One column of the model."""

    share: Floats
    """Shape (values, days); each day's shares add up to 1."""
    rate: Floats
    """Click rate to reach, per value."""
    effect: Floats
    """Result: what the value adds to the log-odds."""

    @classmethod
    def of(cls, days: Floats, totals: Floats, overall: float) -> Factor:
        """Build one from impressions per value and day, and (impressions, clicks) per value."""
        rate = (totals[:, 1] + _PRIOR_ROWS * overall) / (totals[:, 0] + _PRIOR_ROWS)
        return cls(days / days.sum(axis=0), rate, np.zeros(len(totals)))


def calibrate(factors: list[Factor], day_rows: Floats, hour_share: Floats, hours: Floats) -> Floats:
    """Set every factor's effects; return the hours' effects, shape (days, 24).

    `hours` are the click rates to reach per day and hour of day, `hour_share` how a day's rows
    spread over its hours (24 shares), `day_rows` the days' impressions.
    """
    overall = float(day_rows @ (hours @ hour_share) / day_rows.sum())
    hour_effect = np.full(hours.shape, np.log(overall / (1 - overall)))
    for _ in range(_ROUNDS):
        for factor in factors:
            others = [other for other in factors if other is not factor]
            curves = _curves(_distribution(others, hour_effect, hour_share))
            _solve(factor, curves, day_rows)
        curves = _curves(_distribution(factors, None, hour_share))
        for day, curve in enumerate(curves):
            hour_effect[day] = np.interp(hours[day], curve, _GRID)
    return hour_effect


def _solve(factor: Factor, curves: Floats, day_rows: Floats) -> None:
    """Invert, for each value, its mean click probability as a function of its effect."""
    weight = factor.share * day_rows
    weight /= weight.sum(axis=1, keepdims=True)
    for value in range(len(factor.effect)):
        factor.effect[value] = np.interp(factor.rate[value], weight[value] @ curves, _GRID)
    factor.effect -= (factor.share @ day_rows) @ factor.effect / day_rows.sum()


def _distribution(factors: list[Factor], hour_effect: Floats | None, hour_share: Floats) -> Floats:
    """Distribution of the sum of effects per day, shape (days, grid)."""
    days = factors[0].share.shape[1]
    result = np.empty((days, len(_GRID)))
    for day in range(days):
        product = np.ones(_SIZE // 2 + 1, dtype=complex)
        for factor in factors:
            product *= np.fft.rfft(_mass(factor.effect, factor.share[:, day]))
        if hour_effect is not None:
            product *= np.fft.rfft(_mass(hour_effect[day], hour_share))
        mass = np.clip(np.fft.irfft(product, _SIZE), 0.0, None)
        result[day] = np.concatenate([mass[-_HALF:], mass[: _HALF + 1]])
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def _mass(effect: Floats, share: Floats) -> Floats:
    """Put shares on the grid (circular, zero at 0), split between neighbours to keep the mean."""
    place = effect / _STEP
    below = np.floor(place).astype(int)
    upper = place - below
    mass = np.bincount(below % _SIZE, share * (1 - upper), minlength=_SIZE)
    return np.asarray(mass + np.bincount((below + 1) % _SIZE, share * upper, minlength=_SIZE))


def _curves(distribution: Floats) -> Floats:
    """Mean click probability as a function of an effect, per day, shape (days, grid)."""
    logistic = 1.0 / (1.0 + np.exp(-(_GRID[:, None] + _GRID[None, :])))
    return np.asarray(distribution @ logistic)
