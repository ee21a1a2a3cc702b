"""How devices and addresses repeat: heavy-tailed, with the published number of different ones."""

from __future__ import annotations

import numpy as np

from roas_producer.generator.popularity import Popularity


def fit(rows: float, distinct: float, exponent: float) -> Popularity:
    """Find how many ranks there must be for `rows` draws to show `distinct` different ones."""
    low, high = distinct, distinct * 1e4
    for _ in range(80):
        middle = np.sqrt(low * high)
        if _expected_distinct(Popularity(middle, exponent), rows) < distinct:
            low = middle
        else:
            high = middle
    return Popularity(float(np.round(high)), exponent)


def _expected_distinct(popularity: Popularity, rows: float) -> float:
    """Sum over ranks of 1 − exp(−rows × probability), on bins that grow with the rank."""
    edges = np.unique(np.floor(np.geomspace(1, popularity.ranks + 1, 4000))) - 1
    share = np.diff(popularity.cumulative(edges))
    ranks = np.diff(edges)
    return float((ranks * -np.expm1(-rows * share / ranks)).sum())
