"""Find out which value of one column belongs to which value of another, from their totals alone.

The published figures give impressions and clicks of every creative and of every campaign, but not
which creative belongs to which campaign. Where one column determines another, the totals of the
determining values must add up to the totals of the determined one, in impressions and in clicks at
once; pairs of large numbers rarely agree by chance, so most of the hierarchy can be read off the
sums, and the rest is packed so that the sums come as near as they can.
"""

from __future__ import annotations

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.fit.annealing import anneal

_UNASSIGNED = -1

_PAIR_ROWS = 2_000
"""Sums of two agree by chance where numbers are small."""


def assign(items: Floats, bins: Floats, fixed: Ints | None = None) -> Ints:
    """Return for each item the index of the bin it belongs to.

    `items` and `bins` are arrays of shape (n, 2): impressions and clicks. `fixed` may already name
    the bin of some items (-1 elsewhere). The result minimises, locally, the chi-square distance
    between each bin's totals and the totals of what was put into it.
    """
    owner = np.full(len(items), _UNASSIGNED) if fixed is None else fixed.copy()
    _match_exactly(items, bins, owner)
    _match_pairs(items, bins, owner)
    loose = np.nonzero(owner == _UNASSIGNED)[0]
    _fill(items, bins, owner)
    anneal(items, bins, owner, loose, seed=len(items))
    return owner


def assign_runs(items: Floats, bins: Floats) -> Ints:
    """Match runs of neighbouring items to bins, for ids that were given in order of creation.

    Creatives of one campaign mostly have neighbouring ids. Tolerances grow step by step: what fits
    exactly is taken away first, which brings the members of scattered campaigns together. Items
    that fit nowhere keep -1.
    """
    owner = np.full(len(items), _UNASSIGNED)
    for tolerance in (0.0, 2e-4, 1e-3, 4e-3):
        for bin_index in np.argsort(-bins[:, 0], kind="stable"):
            free = np.nonzero(owner == _UNASSIGNED)[0]
            if free.size and not (owner == bin_index).any():
                run = _best_run(items[free], bins[bin_index], free, tolerance)
                owner[run] = bin_index
    return owner


def _best_run(items: Floats, target: Floats, positions: Ints, tolerance: float) -> Ints:
    sums = np.vstack([np.zeros(2), np.cumsum(items, axis=0)])
    first = np.arange(len(items))
    last = np.searchsorted(sums[:, 0], sums[:-1, 0] + target[0] + 0.5, side="right") - 1
    error = np.abs(sums[last, 0] - sums[first, 0] - target[0]) / target[0]
    error += np.abs(sums[last, 1] - sums[first, 1] - target[1]) / max(target[1], 20.0)
    # A run with many foreign creatives between its members is a coincidence of sums.
    spread = positions[np.maximum(last - 1, 0)] - positions[first] - (last - first)
    error[(last <= first) | (spread > 40)] = np.inf
    best = int(np.argmin(error))
    if error[best] > tolerance:
        return positions[:0]
    return positions[first[best] : last[best]]


def _match_exactly(items: Floats, bins: Floats, owner: Ints) -> None:
    """An item that alone has its bin's impressions and clicks is that bin's only member."""
    free_bins = _by_totals(bins, taken=set(owner.tolist()))
    for item in np.argsort(-items[:, 0], kind="stable"):
        candidates = free_bins.get(_totals(items[item]), [])
        if owner[item] == _UNASSIGNED and candidates:
            owner[item] = candidates.pop(0)


def _match_pairs(items: Floats, bins: Floats, owner: Ints) -> None:
    """Two items that together have their bin's impressions and clicks are its members."""
    taken = set(owner.tolist())
    for bin_index in np.argsort(-bins[:, 0], kind="stable"):
        if int(bin_index) in taken:
            continue
        free = np.nonzero(owner == _UNASSIGNED)[0]
        partners = {_totals(items[item]): int(item) for item in free}
        for item in free:
            partner = partners.get(_totals(bins[bin_index] - items[item]), int(item))
            if partner != item and bins[bin_index, 0] > _PAIR_ROWS:
                owner[item] = owner[partner] = bin_index
                break


def _totals(pair: Floats) -> tuple[int, int]:
    return int(pair[0]), int(pair[1])


def _by_totals(bins: Floats, taken: set[int]) -> dict[tuple[int, int], list[int]]:
    result: dict[tuple[int, int], list[int]] = {}
    for index, pair in enumerate(bins):
        if index not in taken:
            result.setdefault(_totals(pair), []).append(index)
    return result


def _fill(items: Floats, bins: Floats, owner: Ints) -> None:
    """Put every loose item, largest first, where it helps most."""
    placed = owner != _UNASSIGNED
    left = bins.astype(float).copy()
    np.subtract.at(left, owner[placed], items[placed])
    weight = 1.0 / (bins + np.array([30.0, 10.0]))
    for item in np.argsort(-items[:, 0], kind="stable"):
        if owner[item] == _UNASSIGNED:
            change = ((items[item] ** 2 - 2 * items[item] * left) * weight).sum(axis=1)
            owner[item] = int(np.argmin(change))
            left[owner[item]] -= items[item]
