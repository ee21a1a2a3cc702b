"""Creatives and what they determine: size, campaign, advertiser, C18 and C19."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roas_producer.generator.arrays import Floats, Ints
from roas_producer.generator.fit.assignment import assign, assign_runs
from roas_producer.generator.fit.published import Published, ValueTable


@dataclass(frozen=True, slots=True)
class Creatives:
    """One entry per creative (C14), each column an array over them."""

    code: Ints
    totals: Floats
    width: Ints
    height: Ints
    campaign: Ints
    advertiser: Ints
    c18: Ints
    c19: Ints


def fit(published: Published) -> Creatives:
    """Build the table creative → size, campaign → advertiser, C18, C19 from the totals."""
    creatives, campaigns = published.table("C14"), published.table("C17")
    campaign = _campaign_of(creatives, campaigns)
    by_campaign = {
        field: _determined_by(campaigns, published.table(field)) for field in ("C21", "C18", "C19")
    }
    sizes, size_totals = _sizes(published)
    size = sizes[assign(creatives.totals, size_totals)]
    return Creatives(
        code=creatives.values,
        totals=creatives.totals,
        width=size[:, 0],
        height=size[:, 1],
        campaign=campaigns.values[campaign],
        advertiser=by_campaign["C21"][campaign],
        c18=by_campaign["C18"][campaign],
        c19=by_campaign["C19"][campaign],
    )


def _campaign_of(creatives: ValueTable, campaigns: ValueTable) -> Ints:
    """Both ids were given in order of creation: match runs first, pack what is left."""
    by_code, by_campaign = np.argsort(creatives.values), np.argsort(campaigns.values)
    runs = assign_runs(creatives.totals[by_code], campaigns.totals[by_campaign])
    fixed = np.full(len(by_code), -1)
    fixed[by_code] = np.where(runs < 0, -1, by_campaign[runs])
    return assign(creatives.totals, campaigns.totals, fixed)


def _determined_by(campaigns: ValueTable, target: ValueTable) -> Ints:
    return target.values[assign(campaigns.totals, target.totals)]


def _sizes(published: Published) -> tuple[Ints, Floats]:
    """Width × height pairs from the totals of width and of height.

    Most widths and heights have equal totals and so belong together; 320 and 300 share the
    height 50, and the differences of the totals say how.
    """
    widths = {int(v): np.array(t, float) for v, t in published.counts["C15"].items()}
    heights = {int(v): np.array(t, float) for v, t in published.counts["C16"].items()}
    small_rectangle = widths[300] - heights[250]
    banner = heights[50] - small_rectangle
    pairs = {
        (300, 250): heights[250],
        (300, 50): small_rectangle,
        (320, 50): banner,
        (320, 480): widths[320] - banner,
    }
    for width in widths.keys() - {300, 320}:
        for height in heights.keys() - {50, 250, 480}:
            if np.array_equal(widths[width], heights[height]):
                pairs[width, height] = widths[width]
    ordered = sorted(pairs)
    return np.array(ordered, dtype=np.int64), np.array([pairs[pair] for pair in ordered])
