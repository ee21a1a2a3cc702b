"""Ratios of pairs that were measured side by side, and their spread. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    @property
    def low(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest."""
        return max(self.values)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"median": self.median, "low": self.low, "high": self.high, "n": len(self.values)}


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """The ratio of each pair: of runs next to each other, so that a drift of the machine cancels.

    Raises:
        ValueError: the runs are not pairs, or there is none.
    """
    if not numerators:
        raise ValueError("nothing was measured")
    pairs = zip(numerators, denominators, strict=True)
    return Spread(tuple(numerator / denominator for numerator, denominator in pairs))


def alternating(repeats: int) -> list[tuple[int, int]]:
    """Order of the runs of two contenders (0 and 1) in each repeat: who goes first takes turns."""
    return [(0, 1) if number % 2 == 0 else (1, 0) for number in range(repeats)]
