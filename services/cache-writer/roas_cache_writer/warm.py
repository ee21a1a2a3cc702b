"""Bringing Redis in line with PostgreSQL, also while a writer is at work.

The order makes it exact without a lock: what Redis holds is read first, PostgreSQL second. Rows
of PostgreSQL only ever gain revisions, so a value that Redis held before and that PostgreSQL
lacks (or has in an older revision) afterwards is one that PostgreSQL has lost, by a restored
backup or by hand, and goes. Everything else is set only where it is newer than what is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from roas_cache_writer.cache import MetricsCache
from roas_cache_writer.store import MetricsStore
from roas_cache_writer.stored_rows import StoredRow
from roas_contracts.redis_layout import WindowSize

_WINDOWS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class WarmReport:
    """What warming one window size did."""

    size: WindowSize
    windows: int
    """Windows looked at."""
    rows_set: int
    """Values that were missing or older in Redis."""
    values_removed: int
    """Values that PostgreSQL no longer has."""


def warm(
    store: MetricsStore,
    cache: MetricsCache,
    size: WindowSize,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[str, WarmReport]:
    """Make Redis hold what PostgreSQL has of the windows that are kept.

    Args:
        store: PostgreSQL.
        cache: Redis.
        size: which windows.
        on_progress: called with the windows done and their number.

    Returns:
        The generation that Redis now holds, and what was done.

    Raises:
        TransientError: one of the two does not answer.
        ColdCacheError: Redis was emptied meanwhile: do it again.
    """
    generation = cache.begin(size)
    pointer = cache.newest_window_start(size)
    held: dict[int, list[str]] = defaultdict(list)
    for dimension, start in cache.index(size):
        held[start].append(dimension)

    freshness = store.freshness(size)
    complete = newest = None
    emitted_at = 0
    if freshness is not None:
        complete = freshness.newest_complete_window_start
        newest = freshness.newest_window_start if complete is None else complete
        emitted_at = freshness.newest_emitted_at
    behind = pointer is not None and (complete is None or complete < pointer)
    if behind:  # First, or rows would be taken for too old to keep.
        cache.finish(
            size,
            generation,
            newest_window_start=complete,
            newest_emitted_at=emitted_at,
            force=True,
        )

    starts = set(held)
    if newest is not None:
        kept = cache.bounds[size].kept_windows
        starts.update(store.window_starts(size, newest - (kept - 1) * size.millis))
    ordered = sorted(starts)
    rows_set = values_removed = 0
    for first in range(0, len(ordered), _WINDOWS_AT_ONCE):
        chunk = ordered[first : first + _WINDOWS_AT_ONCE]
        removed, written = _bring_in_line(store, cache, size, generation, chunk, held)
        values_removed += removed
        rows_set += written
        on_progress(first + len(chunk), len(ordered))
    # The pointer comes last: nobody is shown a data set that is not there yet.
    cache.finish(
        size,
        generation,
        newest_window_start=complete,
        newest_emitted_at=emitted_at,
        warmed=True,
    )
    return generation, WarmReport(size, len(ordered), rows_set, values_removed)


def _bring_in_line(
    store: MetricsStore,
    cache: MetricsCache,
    size: WindowSize,
    generation: str,
    starts: list[int],
    held: dict[int, list[str]],
) -> tuple[int, int]:
    """Some windows; values removed and rows set."""
    known = [(dimension, start) for start in starts for dimension in held.get(start, ())]
    revisions = cache.revisions(size, known) if known else {}
    rows = store.windows(size, starts)
    removed = 0
    for (dimension, start), values in lost(revisions, rows).items():
        removed += cache.forget(size, dimension, start, values)
    return removed, cache.apply(size, generation, rows)


def lost(
    revisions: dict[tuple[str, int], dict[str, int]], rows: list[StoredRow]
) -> dict[tuple[str, int], list[str]]:
    """Which of the values that Redis held PostgreSQL has lost, by dimension and window. Pure.

    A window with an empty list holds nothing (it expired): its place in the index is to go.
    """
    stored = {(row.dimension, row.window_start, row.value): row.revision for row in rows}
    result: dict[tuple[str, int], list[str]] = {}
    for (dimension, start), values in revisions.items():
        gone = [
            value
            for value, revision in values.items()
            if not 0 <= revision <= stored.get((dimension, start, value), -1)
        ]
        if gone or not values:
            result[dimension, start] = gone
    return result
