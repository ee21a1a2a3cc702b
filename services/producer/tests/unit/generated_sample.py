"""A sample of generated rows, counted: what the generator's tests hold against the figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.draw import CHUNK_ROWS, Columns, Drawer
from roas_producer.generator.model import FIGURES_FILE, load_model
from roas_producer.generator.options import GeneratorOptions
from roas_producer.generator.schedule import Hour, schedule
from roas_producer.generator.texts import Texts

SAMPLE_ROWS = 3_000_000
SEED = 20_141_021

FIELDS = {
    "C1": ("c1", "device"),
    "C14": ("c14", "creative"),
    "C15": ("c15", "creative"),
    "C16": ("c16", "creative"),
    "C17": ("c17", "creative"),
    "C18": ("c18", "creative"),
    "C19": ("c19", "creative"),
    "C20": ("c20", "c20"),
    "C21": ("c21", "creative"),
    "app_category": ("app_category", "placement"),
    "app_domain": ("app_domain", "placement"),
    "app_id": ("app_id", "placement"),
    "banner_pos": ("banner", "banner"),
    "device_conn_type": ("connection", "connection"),
    "device_model": ("model", "model"),
    "device_type": ("device_type", "device"),
    "site_category": ("site_category", "placement"),
    "site_domain": ("site_domain", "placement"),
    "site_id": ("site_id", "placement"),
}
"""For each column of a row: where its text stands, and which drawn position chooses it."""


@dataclass(frozen=True)
class Figures:
    """The published figures that ship with the generator."""

    rows: int
    clicks: int
    cardinality: dict[str, int]
    hour_of_day_impressions: list[int]
    hour_of_day_ctr: list[float]
    day_impressions: list[int]
    day_ctr: list[float]
    values: dict[str, dict[str, tuple[int, int]]]


@cache
def figures() -> Figures:
    """Return the published figures."""
    text = files("roas_producer.generator").joinpath(FIGURES_FILE).read_text(encoding="utf-8")
    return Figures(**json.loads(text))


@dataclass(frozen=True)
class Tally:
    """Rows and clicks of each drawn position, per day and per hour of day."""

    days: Floats
    """Shape (10, 2): rows, clicks."""
    hours: Floats
    positions: dict[str, Floats]
    """Per drawn column, shape (values, 2)."""
    campaigns_by_day: list[set[int]]
    without_device: float
    """Share of rows."""

    @property
    def rows(self) -> float:
        """How many rows were counted."""
        return float(self.days[:, 0].sum())

    def of(self, field: str) -> dict[str, tuple[float, float]]:
        """Return rows and clicks by a column's text."""
        texts, position = FIELDS[field]
        result: dict[str, tuple[float, float]] = {}
        counts = self.positions[position].tolist()
        for value, (rows, clicks) in zip(getattr(_texts(), texts).tolist(), counts, strict=True):
            before = result.get(str(value), (0.0, 0.0))
            result[str(value)] = (before[0] + rows, before[1] + clicks)
        return result


@cache
def tally() -> Tally:
    """Draw all ten days, reduced to SAMPLE_ROWS rows, and count them."""
    days, hours = np.zeros((10, 2)), np.zeros((24, 2))
    positions = {name: np.zeros((size, 2)) for name, size in _sizes().items()}
    campaigns: list[set[int]] = [set() for _ in range(10)]
    without_device = 0
    codes = load_model().creative_campaign
    for hour, columns in drawn(GeneratorOptions(rows=SAMPLE_ROWS, seed=SEED)):
        amount = np.array([len(columns.clicked), columns.clicked.sum()])
        days[hour.day] += amount
        hours[hour.hour_of_day] += amount
        without_device += int((~columns.has_device).sum())
        campaigns[hour.day] |= set(np.unique(codes[columns.creative]).tolist())
        for name, counts in positions.items():
            counts += _count(getattr(columns, name), columns.clicked, len(counts))
    return Tally(days, hours, positions, campaigns, without_device / days[:, 0].sum())


def drawn(options: GeneratorOptions) -> Iterator[tuple[Hour, Columns]]:
    """Yield the drawn columns of all hours, chunk by chunk."""
    drawer = Drawer(load_model(), options.seed)
    for hour in schedule(load_model(), options):
        for chunk, first in enumerate(range(0, hour.rows, CHUNK_ROWS)):
            yield hour, drawer.draw(hour, chunk, min(CHUNK_ROWS, hour.rows - first))


def _sizes() -> dict[str, int]:
    return {position: len(getattr(_texts(), texts)) for texts, position in FIELDS.values()}


def _count(
    position: Ints, clicked: np.ndarray[tuple[int], np.dtype[np.bool_]], size: int
) -> Floats:
    rows = np.bincount(position, minlength=size)
    clicks = np.bincount(position, clicked, minlength=size)
    return np.stack([rows, clicks], axis=1)


@cache
def _texts() -> Texts:
    return Texts(load_model())
