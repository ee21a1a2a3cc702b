"""The fitted model: what the generator draws from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np

from roas_producer.generator.arrays import Floats, Ints

MODEL_FILE = "model.npz"
FIGURES_FILE = "figures.json"


@dataclass(frozen=True, slots=True)
class Model:
    """Plain arrays, one group per thing that is drawn. Made by ``roas_producer.generator.fit``.

    `*_rows` are impressions and serve as weights, `*_effect` are what a value adds to the log-odds
    of a click. Days are the ten days of the data, from Tuesday 2014-10-21 on.
    """

    hour_rows: Floats
    """Impressions per day and hour of day, shape (10, 24)."""
    hour_effect: Floats
    """Same shape: the base log-odds."""

    creative_code: Ints
    creative_width: Ints
    creative_height: Ints
    creative_campaign: Ints
    creative_advertiser: Ints
    creative_c18: Ints
    creative_c19: Ints
    creative_effect: Floats
    creative_days: Floats
    """Impressions per creative and day, shape (creatives, 10); 0 where it does not run."""

    placement_is_site: Ints
    placement_code: Ints
    placement_domain: Ints
    placement_category: Ints
    placement_effect: Floats
    placement_rows: Floats
    placement_scale: Floats
    """Share of the total per day, for the placements that do not drift."""
    placement_head_days: Floats
    """Impressions per day of the first (largest) placements, which drift."""
    no_placement: Ints
    """Null tokens with their domain and category, shape (2, 3): of no app, of no site."""

    device_c1: Ints
    device_type: Ints
    device_effect: Floats
    device_rows: Floats

    model_code: Ints
    model_effect: Floats
    model_rows: Floats

    banner_code: Ints
    banner_effect: Floats
    banner_rows: Floats

    connection_code: Ints
    connection_effect: Floats
    connection_rows: Floats

    c20_code: Ints
    c20_effect: Floats
    c20_rows: Floats

    no_device_share: Floats
    """Share of rows without a device id, shape (2,): in apps, on sites."""
    device_popularity: Floats
    """Ranks and exponent, see :class:`roas_producer.generator.popularity.Popularity`."""
    address_popularity: Floats

    def save(self, path: Path) -> None:
        """Write the model, compactly: weights and effects need no more than single precision."""
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
        for field in fields(self):
            array = getattr(self, field.name)
            small = np.float32 if array.dtype.kind == "f" else np.int64
            arrays[field.name] = array.astype(small)
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


@cache
def load_model() -> Model:
    """Return the model that ships with the package."""
    content = files("roas_producer.generator").joinpath(MODEL_FILE).read_bytes()
    with np.load(BytesIO(content), allow_pickle=False) as stored:
        arrays = {
            field.name: stored[field.name].astype(
                np.float64 if stored[field.name].dtype.kind == "f" else np.int64
            )
            for field in fields(Model)
        }
    return Model(**arrays)
