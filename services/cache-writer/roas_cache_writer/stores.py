"""The two stores as the settings say: the part of the wiring that the cache manager needs too.

Apart from `app`, so that looking something up in Redis does not load Kafka and the registry.
"""

from __future__ import annotations

from roas_cache_writer import SERVICE
from roas_cache_writer.cache import Bounds, MetricsCache
from roas_cache_writer.settings import Settings
from roas_cache_writer.store import MetricsStore
from roas_contracts.redis_layout import WindowSize


def make_store(settings: Settings) -> MetricsStore:
    """PostgreSQL, not yet connected."""
    return MetricsStore(settings.postgres_dsn.get_secret_value(), SERVICE, settings.currency)


def make_cache(settings: Settings) -> MetricsCache:
    """Redis, not yet connected."""
    bounds = {
        size: Bounds(settings.kept_windows(size), settings.redis_ttl_seconds, settings.currency)
        for size in WindowSize
    }
    return MetricsCache(settings.redis_url.get_secret_value(), bounds)
