"""Registry ids of the schemas that the job writes with. It never registers any."""

from typing import Final

from roas_contracts.events import AD_METRICS_1M, AD_METRICS_5M, DEAD_LETTERS
from roas_contracts.registry import Registry

WRITTEN: Final = (AD_METRICS_1M, AD_METRICS_5M, DEAD_LETTERS)


def writer_schema_ids(registry_url: str) -> dict[str, int]:
    """The id of our newest schema of each topic that the job writes.

    Raises:
        MisconfigurationError: a schema is not registered.
        TransientError: the registry can't say now.
    """
    registry = Registry(registry_url)
    return {topic: registry.schema_id(topic) for topic in WRITTEN}
