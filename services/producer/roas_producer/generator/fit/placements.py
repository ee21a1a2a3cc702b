"""Sites and apps, each with its domain and its category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.fit.assignment import assign
from roas_producer.generator.fit.published import Published


@dataclass(frozen=True, slots=True)
class Placements:
    """One entry per site and per app; `is_site` tells them apart."""

    is_site: Ints
    code: Ints
    domain: Ints
    category: Ints
    totals: Floats


def fit(published: Published) -> Placements:
    """Build the table of placements from the totals of ids, domains and categories.

    The null token of a column stands for "the row was shown on the other kind": its rows are taken
    off the domain and the category that it always comes with, the most frequent ones.
    """
    sides = [_side(published, kind, is_site) for kind, is_site in (("site", 1), ("app", 0))]
    return Placements(
        is_site=np.concatenate([side.is_site for side in sides]),
        code=np.concatenate([side.code for side in sides]),
        domain=np.concatenate([side.domain for side in sides]),
        category=np.concatenate([side.category for side in sides]),
        totals=np.vstack([side.totals for side in sides]),
    )


def _side(published: Published, kind: str, is_site: int) -> Placements:
    ids = published.table(f"{kind}_id")
    # The null token is the most frequent value of both columns.
    null, items, codes = ids.totals[0], ids.totals[1:], ids.values[1:]
    determined = []
    for field in (f"{kind}_domain", f"{kind}_category"):
        table = published.table(field)
        left = table.totals.copy()
        left[0] -= null
        determined.append(table.values[assign(items, left)])
    return Placements(
        is_site=np.full(len(codes), is_site),
        code=codes,
        domain=determined[0],
        category=determined[1],
        totals=items,
    )
