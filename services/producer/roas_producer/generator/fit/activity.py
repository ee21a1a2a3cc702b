"""When each campaign runs, and how the mix of creatives and placements drifts from day to day.

Nothing is published per value and day, so this part is made up, within what is published: ids of
creatives were given in order of creation, the newest of the data's first hour is known, and every
value's total over the ten days and every day's total must come out.
"""

from __future__ import annotations

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.fit.creatives import Creatives

_NEWEST_AT_START = 21_704
"""Highest creative id that was shown in the first hour of the data."""

_EVERGREEN_ROWS = 400_000
"""Campaigns that had started and are this large run through: the days' totals rest on them."""

_SEED = 20_141_021


def creative_days(creatives: Creatives, day_rows: Floats) -> Floats:
    """Return impressions of every creative on every day, shape (creatives, days).

    Rows add up to the creatives' totals, columns to the days' totals; a creative whose campaign
    is not running has none.
    """
    random = np.random.default_rng(_SEED)
    days = len(day_rows)
    running = np.zeros((len(creatives.code), days), dtype=bool)
    pace = np.empty((len(creatives.code), days))
    for campaign in np.unique(creatives.campaign):
        members = np.nonzero(creatives.campaign == campaign)[0]
        last = _last_day(creatives, members, days, random)
        walk = np.cumsum(random.normal(0.0, 0.3, days))
        for member in members:
            first = min(_first_day(int(creatives.code[member]), days), days - 1)
            running[member, first : max(last, first) + 1] = True
            pace[member] = np.exp(walk + random.normal(0.0, 0.15, days))
    return balance(running * pace * day_rows, creatives.totals[:, 0], day_rows)


def placement_days(totals: Floats, day_rows: Floats, head: int) -> Floats:
    """Return impressions of every placement on every day; only the `head` largest drift."""
    random = np.random.default_rng(_SEED + 1)
    drift = np.zeros((len(totals), len(day_rows)))
    largest = np.argsort(-totals[:, 0], kind="stable")[:head]
    drift[largest] = np.cumsum(random.normal(0.0, 0.08, (head, len(day_rows))), axis=1)
    return balance(np.exp(drift) * day_rows, totals[:, 0], day_rows)


def balance(start: Floats, rows: Floats, columns: Floats) -> Floats:
    """Scale a table until its rows and its columns add up as asked (iterative proportional fit)."""
    table = start.copy()
    for _ in range(500):
        table *= (rows / table.sum(axis=1))[:, None]
        sums = table.sum(axis=0)
        if np.abs(sums / columns - 1.0).max() < 1e-9:
            break
        table *= columns / sums
    return table


def _first_day(code: int, days: int) -> int:
    if code <= _NEWEST_AT_START:
        return 0
    newest = 24_052
    return int(days * (code - _NEWEST_AT_START) / (newest + 1 - _NEWEST_AT_START))


def _last_day(creatives: Creatives, members: Ints, days: int, random: np.random.Generator) -> int:
    rows = creatives.totals[members, 0].sum()
    first = _first_day(int(creatives.code[members].min()), days)
    ends = random.random() < 0.5
    length = 1 + int(random.integers(1, days))
    if not ends or (first == 0 and rows > _EVERGREEN_ROWS):
        return days - 1
    return min(first + length, days) - 1
