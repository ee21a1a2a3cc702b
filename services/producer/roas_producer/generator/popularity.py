"""A heavy-tailed distribution over ranks that needs no table: few are seen often, many once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roas_producer.generator.arrays import Floats, Words

OFFSET = 20.0
"""Flattens the head: without it the first rank alone would take percents of all rows."""


@dataclass(frozen=True, slots=True)
class Popularity:
    """Rank r (from 0) has a probability proportional to (r + OFFSET) ** -exponent."""

    ranks: float
    exponent: float

    def cumulative(self, rank: Floats) -> Floats:
        """Return the probability of all ranks below `rank`."""
        return (self._integral(rank) - self._integral(0.0)) / self._range()

    def draw(self, uniform: Floats) -> Words:
        """Return a rank for each uniform number in [0, 1)."""
        power = 1.0 - self.exponent
        integral = self._integral(0.0) + uniform * self._range()
        rank = integral ** (1.0 / power) - OFFSET
        return np.clip(rank, 0.0, self.ranks - 1.0).astype(np.uint64)

    def _range(self) -> float:
        return float(self._integral(self.ranks) - self._integral(0.0))

    def _integral(self, rank: Floats | float) -> Floats:
        return np.asarray((np.asarray(rank) + OFFSET) ** (1.0 - self.exponent))
