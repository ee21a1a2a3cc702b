"""The model's values as they stand in a row: hashes as eight hex digits, codes as decimals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roas_producer.generator.arrays import Ints
from roas_producer.generator.identifiers import hex8
from roas_producer.generator.model import Model

Objects = NDArray[np.object_]


class Texts:
    """Arrays of ready-made values: one is looked up per row and column, none is formatted.

    Fields that :class:`roas_producer.rows.AdRow` carries as integers are Python integers.
    """

    def __init__(self, model: Model) -> None:
        self.c14 = _decimals(model.creative_code)
        self.c15 = _integers(model.creative_width)
        self.c16 = _integers(model.creative_height)
        self.c17 = _decimals(model.creative_campaign)
        self.c18 = _decimals(model.creative_c18)
        self.c19 = _decimals(model.creative_c19)
        self.c21 = _decimals(model.creative_advertiser)
        self.c20 = _decimals(model.c20_code)
        self.c1 = _decimals(model.device_c1)
        self.device_type = _integers(model.device_type)
        self.banner = _integers(model.banner_code)
        self.connection = _integers(model.connection_code)
        self.model = _hashes(model.model_code)
        no_app, no_site = model.no_placement
        own = (model.placement_code, model.placement_domain, model.placement_category)
        site = model.placement_is_site == 1
        self.site_id, self.site_domain, self.site_category = (
            _hashes(np.where(site, values, null)) for values, null in zip(own, no_site, strict=True)
        )
        self.app_id, self.app_domain, self.app_category = (
            _hashes(np.where(site, null, values)) for values, null in zip(own, no_app, strict=True)
        )


def _hashes(values: Ints) -> Objects:
    return np.array(hex8(values.astype(np.uint64)), dtype=object)


def _decimals(values: Ints) -> Objects:
    return np.array([str(value) for value in values.tolist()], dtype=object)


def _integers(values: Ints) -> Objects:
    return np.array(values.tolist(), dtype=object)
