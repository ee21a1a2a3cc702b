"""The figures behind `stats`: Redis for certain, PostgreSQL and Kafka where they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from roas_cache_writer import READER
from roas_cache_writer.deltas import SIZE_OF_TOPIC
from roas_cache_writer.settings import Settings
from roas_cache_writer.stores import make_cache, make_store
from roas_contracts.consuming.positions import TopicPartition
from roas_contracts.errors import RoasError, TransientError
from roas_contracts.redis_layout import RedisMetricsReader, SizeFreshness, WindowSize


@dataclass(frozen=True, slots=True)
class Stats:
    """What is held, how fresh it is and how far behind. Unknown is None, with a note."""

    windows: dict[WindowSize, int]
    """Window hashes held (one for each window and dimension)."""
    freshness: dict[WindowSize, SizeFreshness]
    memory: dict[str, Any]
    """used_bytes, limit_bytes (None: no limit) and evicted_keys of the server."""
    offsets: dict[TopicPartition, int] | None = None
    """First offset that is not counted, from PostgreSQL."""
    lag: dict[TopicPartition, int] | None = None
    """Records behind the end of each partition."""
    notes: list[str] = field(default_factory=list)


def collect_stats(settings: Settings) -> Stats:
    """Ask Redis, then the others.

    Raises:
        TransientError: Redis does not answer.
    """
    reader = RedisMetricsReader.connect(settings.redis_url.get_secret_value())
    cache = make_cache(settings)
    notes: list[str] = []
    try:
        windows = {size: len(cache.index(size)) for size in WindowSize}
        freshness, memory = reader.freshness().sizes, cache.memory()
    finally:
        cache.close()
        reader.close()
    offsets = _offsets(settings, notes)
    lag = _lag(settings, offsets, notes) if offsets is not None else None
    return Stats(windows, freshness, memory, offsets, lag, notes)


def _offsets(settings: Settings, notes: list[str]) -> dict[TopicPartition, int] | None:
    store = make_store(settings)
    try:
        store.open()
        return {key: offset.next_offset for key, offset in store.offsets().items()}
    except RoasError as error:
        notes.append(str(error))
        return None
    finally:
        store.close()


def _lag(
    settings: Settings, offsets: dict[TopicPartition, int], notes: list[str]
) -> dict[TopicPartition, int] | None:
    from roas_contracts.consuming.source import CommittedSource  # Kafka: only where it is asked.

    source = CommittedSource(settings.kafka_bootstrap, READER, SIZE_OF_TOPIC)
    try:
        return {key: source.bounds(key)[1] - offset for key, offset in offsets.items()}
    except TransientError as error:
        notes.append(str(error))
        return None
    finally:
        source.close()
