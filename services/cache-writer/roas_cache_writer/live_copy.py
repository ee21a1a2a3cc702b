"""Keeping Redis a true copy: when to set rows, when to fill it anew, when to call it stale."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import structlog

from roas_cache_writer.cache import ColdCacheError, MetricsCache
from roas_cache_writer.deltas import Fold
from roas_cache_writer.store import MetricsStore
from roas_cache_writer.stored_rows import StoredRow
from roas_cache_writer.telemetry import Telemetry
from roas_cache_writer.warm import warm
from roas_contracts.errors import TransientError
from roas_contracts.redis_layout import WindowSize

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_LOOK_SECONDS: Final = 1.0
"""How often Redis is looked at while there is nothing to write."""

_log = structlog.get_logger("roas_cache_writer.live_copy")


class LiveCopy:
    """Redis as the writer sees it: warm, or stale until the next successful warming.

    It is stale before the first warming, after any failure, after any new connection (the server
    may have been restarted without its last second of writes), and when it turns out to have
    been emptied. Rows are not set while it is stale: warming sets them. Not thread-safe.
    """

    def __init__(self, cache: MetricsCache, telemetry: Telemetry) -> None:
        self._cache = cache
        self._telemetry = telemetry
        self._generations: dict[WindowSize, str] = {}
        self._stale = True
        self._next_try = 0.0
        self._pause = _FIRST_PAUSE
        self._next_look = 0.0
        cache.on_connect = self.mark_stale

    def mark_stale(self) -> None:
        """What Redis holds can't be relied on. Also called for each new connection."""
        self._stale = True
        self._telemetry.status.redis_warm = False

    def set(
        self, folds: Mapping[WindowSize, Fold], changed: Mapping[WindowSize, list[StoredRow]]
    ) -> None:
        """Rows that were just committed. Never raises for Redis's sake."""
        if self._stale or not changed:
            return
        try:
            for size, rows in changed.items():
                self._cache.apply(size, self._generations[size], rows)
            for size, fold in folds.items():
                sums = fold.sums()
                self._cache.finish(
                    size,
                    self._generations[size],
                    newest_window_start=sums.newest_complete,
                    newest_emitted_at=sums.newest_emitted_at,
                )
        except (TransientError, ColdCacheError) as error:
            self._failed(error)
            return
        if self._became_stale():
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        self._telemetry.cached(changed)

    def _became_stale(self) -> bool:
        """Whether a new connection was made on the way: `mark_stale` is its callback."""
        return self._stale

    def refresh(self, store: MetricsStore) -> None:
        """Warm Redis where that is due, and notice when a warm one has been lost.

        Raises:
            TransientError: PostgreSQL does not answer. Redis's failures are noted, not raised.
        """
        now = time.monotonic()
        if not self._stale and now >= self._next_look:
            self._look()
        if self._stale and now >= self._next_try:
            self._warm(store)

    def _look(self) -> None:
        self._next_look = time.monotonic() + _LOOK_SECONDS
        try:
            for size, generation in self._generations.items():
                if self._cache.generation(size) != generation:
                    self.mark_stale()
                    _log.warning("redis was emptied", window=size)
        except TransientError as error:
            self._failed(error)

    def _warm(self, store: MetricsStore) -> None:
        started = time.monotonic()
        try:
            self._cache.ping()  # A new connection marks the copy stale: make it before, not after.
            self._stale = False
            for size in WindowSize:
                generation, report = warm(store, self._cache, size)
                self._generations[size] = generation
                _log.info(
                    "warmed",
                    window=size,
                    windows=report.windows,
                    rows_set=report.rows_set,
                    values_removed=report.values_removed,
                    seconds=round(time.monotonic() - started, 3),
                )
        except (TransientError, ColdCacheError) as error:
            self._failed(error)
            if not store.is_open:
                raise
            return
        self._pause = _FIRST_PAUSE
        self._telemetry.warms.inc()
        self._telemetry.status.redis_warm = not self._became_stale()

    def _failed(self, error: Exception) -> None:
        self.mark_stale()
        self._next_try = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        _log.warning("redis is stale until it can be warmed again", reason=str(error))
