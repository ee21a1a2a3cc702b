"""Pack items into bins so that the sums come out, by simulated annealing.

Packing to given sums has very many local optima; single moves and swaps alone stop at sums that are
percents off. Annealing with swaps of items of similar size gets them within a fraction of that.
"""

from __future__ import annotations

import math
import random

import numpy as np

from roas_producer.generator.arrays import Floats, Ints

_STEPS_PER_ITEM = 1_500
_FEWEST_STEPS = 2_000_000
_HOTTEST, _COLDEST = 100_000.0, 1.0
_CLICK_WEIGHT = 4.0
"""Clicks are fewer, but a wrong click rate is seen sooner than a wrong share."""


def anneal(items: Floats, bins: Floats, owner: Ints, loose: Ints, seed: int) -> None:
    """Improve `owner` in place, changing only the owners of `loose` items.

    `items` and `bins` have shape (n, 2): impressions and clicks. What is minimised is the sum over
    bins of squared differences of totals, each divided by the total.
    """
    if loose.size < 2 or len(bins) < 2:
        return
    state = _State(items, bins, owner)
    by_size = loose[np.argsort(-items[loose, 0], kind="stable")].tolist()
    chance = random.Random(seed)
    steps = max(_FEWEST_STEPS, _STEPS_PER_ITEM * len(by_size))
    cooling = (_COLDEST / _HOTTEST) ** (1 / steps)
    temperature = _HOTTEST
    for _ in range(steps):
        temperature *= cooling
        place = chance.randrange(len(by_size))
        item = by_size[place]
        if chance.random() < 0.4:
            moves = [(item, chance.randrange(len(bins)))]
        else:
            reach = max(1, int(chance.expovariate(0.1)))
            other = by_size[(place + reach) % len(by_size)]
            moves = [(item, state.owner[other]), (other, state.owner[item])]
        state.attempt(moves, -temperature * math.log(1.0 - chance.random()))
    owner[:] = state.owner


class _State:
    """Plain lists: single numbers are looked up far faster there than in arrays."""

    def __init__(self, items: Floats, bins: Floats, owner: Ints) -> None:
        left = bins.astype(float).copy()
        np.subtract.at(left, owner, items)
        self.owner: list[int] = owner.tolist()
        self._rows: list[float] = items[:, 0].tolist()
        self._clicks: list[float] = items[:, 1].tolist()
        self._rows_left: list[float] = left[:, 0].tolist()
        self._clicks_left: list[float] = left[:, 1].tolist()
        self._row_weight: list[float] = (1.0 / (np.abs(bins[:, 0]) + 30.0)).tolist()
        weight = _CLICK_WEIGHT / (np.abs(bins[:, 1]) + 10.0)
        self._click_weight: list[float] = weight.tolist()

    def attempt(self, moves: list[tuple[int, int]], worsening: float) -> None:
        """Make the moves if they cost no more than `worsening`."""
        before = [self.owner[item] for item, _ in moves]
        touched = {*before, *(target for _, target in moves)}
        if len(touched) < 2:
            return
        cost = -self._cost(touched)
        for item, target in moves:
            self._move(item, target)
        if cost + self._cost(touched) > worsening:
            for (item, _), source in zip(moves, before, strict=True):
                self._move(item, source)

    def _cost(self, bins: set[int]) -> float:
        return sum(
            self._rows_left[b] ** 2 * self._row_weight[b]
            + self._clicks_left[b] ** 2 * self._click_weight[b]
            for b in bins
        )

    def _move(self, item: int, target: int) -> None:
        source = self.owner[item]
        rows, clicks = self._rows[item], self._clicks[item]
        self._rows_left[source] += rows
        self._clicks_left[source] += clicks
        self._rows_left[target] -= rows
        self._clicks_left[target] -= clicks
        self.owner[item] = target
