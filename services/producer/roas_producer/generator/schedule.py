"""How many rows each hour has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roas_producer.generator.arrays import Floats
from roas_producer.generator.model import Model
from roas_producer.generator.options import DEFAULT_START, GeneratorOptions
from roas_producer.rows import HOUR_MS

_FIRST_HOUR = round(DEFAULT_START.timestamp() * 1000) // HOUR_MS


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour to generate."""

    number: int
    """Hours since the epoch."""
    day: int
    """Which of the published days it follows (0 for 2014-10-21)."""
    hour_of_day: int
    rows: int


def schedule(model: Model, options: GeneratorOptions) -> Sequence[Hour]:
    """Return all hours of the options, in order.

    An hour follows the published day that its date falls on, counted from 2014-10-21 in cycles of
    ten days: what an hour looks like depends on its date, not on where a run starts.
    """
    days = len(model.hour_rows)
    first = options.start_ms // HOUR_MS
    numbers = range(first, first + options.hours)
    places = [divmod((number - _FIRST_HOUR) % (days * 24), 24) for number in numbers]
    published = np.array([model.hour_rows[place] for place in places])
    counts = _whole_numbers(published, options)
    return [
        Hour(number, day, hour_of_day, count)
        for number, (day, hour_of_day), count in zip(numbers, places, counts, strict=True)
    ]


def _whole_numbers(published: Floats, options: GeneratorOptions) -> list[int]:
    if options.rows is None:
        # Each hour by itself: where a run starts must not change an hour.
        counts = np.round(published * options.scale)
    else:
        # A running remainder: the total must be exact.
        reached = np.round(np.cumsum(published) / published.sum() * options.rows)
        counts = np.diff(reached, prepend=0.0)
    return [int(count) for count in counts]
