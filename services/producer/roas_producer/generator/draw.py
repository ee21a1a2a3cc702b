"""Draw rows: numpy columns of indices into the model, many rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from roas_producer.generator.arrays import Floats, Ints, Words
from roas_producer.generator.identifiers import scramble64
from roas_producer.generator.model import Model
from roas_producer.generator.popularity import Popularity
from roas_producer.generator.schedule import Hour

CHUNK_ROWS = 16_384
"""Rows drawn at once: bounds the memory, and fits the processor's cache."""


class Columns(NamedTuple):
    """Drawn rows: each column is an array of positions in the model's tables, but for the last."""

    creative: Ints
    placement: Ints
    device: Ints
    model: Ints
    banner: Ints
    connection: Ints
    c20: Ints
    has_device: NDArray[np.bool_]
    device_rank: Words
    address_rank: Words
    clicked: NDArray[np.bool_]


@dataclass(frozen=True)
class Drawer:
    """Draws rows of one model. What it draws depends on seed, hour and chunk, on nothing else."""

    model: Model
    seed: int

    def draw(self, hour: Hour, chunk: int, count: int) -> Columns:
        """Return the `chunk`-th (from 0) `count` rows of an hour."""
        model, day = self.model, hour.day
        random = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, hour.number, chunk]))
        )
        uniform = random.random((11, count))
        placement = _pick(self._placement_days[day], uniform[1])
        is_site = model.placement_is_site[placement]
        has_device = uniform[2] >= model.no_device_share[is_site]
        device_rank = Popularity(*model.device_popularity).draw(uniform[3])
        # A known device is of one model, whenever and wherever it is seen.
        own_model = scramble64(device_rank) / 2.0**64
        columns = Columns(
            creative=_pick(self._creative_days[day], uniform[0]),
            placement=placement,
            device=_pick(self._devices, uniform[4]),
            model=_pick(self._models, np.where(has_device, own_model, uniform[5])),
            banner=_pick(self._banners, uniform[6]),
            connection=_pick(self._connections, uniform[7]),
            c20=_pick(self._c20, uniform[8]),
            has_device=has_device,
            device_rank=device_rank,
            address_rank=Popularity(*model.address_popularity).draw(uniform[9]),
            clicked=np.zeros(count, dtype=bool),
        )
        probability = 1.0 / (1.0 + np.exp(-self._log_odds(hour, columns)))
        return columns._replace(clicked=uniform[10] < probability)

    def _log_odds(self, hour: Hour, columns: Columns) -> Floats:
        model = self.model
        return np.asarray(
            model.hour_effect[hour.day, hour.hour_of_day]
            + model.creative_effect[columns.creative]
            + model.placement_effect[columns.placement]
            + model.device_effect[columns.device]
            + model.model_effect[columns.model]
            + model.banner_effect[columns.banner]
            + model.connection_effect[columns.connection]
            + model.c20_effect[columns.c20]
        )

    @cached_property
    def _creative_days(self) -> list[Floats]:
        return [_cumulative(day) for day in self.model.creative_days.T]

    @cached_property
    def _placement_days(self) -> list[Floats]:
        model = self.model
        steady = model.placement_rows[len(model.placement_head_days) :]
        return [
            _cumulative(np.concatenate([head, steady * scale]))
            for head, scale in zip(model.placement_head_days.T, model.placement_scale, strict=True)
        ]

    @cached_property
    def _devices(self) -> Floats:
        return _cumulative(self.model.device_rows)

    @cached_property
    def _models(self) -> Floats:
        return _cumulative(self.model.model_rows)

    @cached_property
    def _banners(self) -> Floats:
        return _cumulative(self.model.banner_rows)

    @cached_property
    def _connections(self) -> Floats:
        return _cumulative(self.model.connection_rows)

    @cached_property
    def _c20(self) -> Floats:
        return _cumulative(self.model.c20_rows)


def _cumulative(weights: Floats) -> Floats:
    sums = np.cumsum(weights)
    return np.asarray(sums / sums[-1])


def _pick(cumulative: Floats, uniform: Floats) -> Ints:
    """Turn uniform numbers into positions, each as likely as its weight; never one of weight 0."""
    found = np.searchsorted(cumulative, uniform, side="right")
    return np.minimum(found, len(cumulative) - 1)
