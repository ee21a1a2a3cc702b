"""Dimensions, their values, and the Kafka key of a metric record."""

from typing import Final

from roas_contracts.events import PlacementType

TOTAL: Final = "total"
CAMPAIGN: Final = "campaign"
PLACEMENT: Final = "placement"
BANNER_POS: Final = "banner_pos"
DEVICE_TYPE: Final = "device_type"

DIMENSIONS: Final = (TOTAL, CAMPAIGN, PLACEMENT, BANNER_POS, DEVICE_TYPE)
"""Every dimension that the stream counts by."""

ALL: Final = "all"
"""The one value of the dimension total."""

_PREFIXES: Final = {
    PlacementType.SITE: "site:",
    PlacementType.APP: "app:",
    PlacementType.UNKNOWN: "unknown:",
}


def placement_value(placement_type: PlacementType, placement_id: str) -> str:
    """The value of the dimension placement: a site and an app may share an id."""
    return _PREFIXES[placement_type] + placement_id


def metric_key(dimension: str, value: str) -> bytes:
    """The Kafka key: UTF-8 of `dimension:value`. Deltas of one series are in one partition."""
    return f"{dimension}:{value}".encode()


def split_metric_key(key: bytes) -> tuple[str, str]:
    """Dimension and value of a key.

    Raises:
        ValueError: not UTF-8, or without the colon.
    """
    dimension, colon, value = key.decode().partition(":")
    if not colon:
        raise ValueError(f"a metric key has the form dimension:value, not {dimension!r}")
    return dimension, value
