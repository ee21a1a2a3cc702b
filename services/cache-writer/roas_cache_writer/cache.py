"""Redis: absolute totals, set from PostgreSQL's, never an older one over a newer one.

What is in Redis is a data set with an identity, its generation. A write names the generation it
belongs to; when Redis was emptied in the meantime there is none, the write is refused, and the
writer knows that it has to fill Redis anew. A new connection means the same: nobody knows what
happened to the server in between.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from roas_cache_writer import cache_scripts
from roas_cache_writer.stored_rows import StoredRow
from roas_contracts.errors import MisconfigurationError, RoasError, TransientError
from roas_contracts.redis_layout import (
    PREFIX,
    WindowSize,
    index_key,
    index_member,
    meta_key,
    parse_index_member,
    window_key,
)

_ROWS_PER_CALL: Final = 1_000
"""A script's arguments are bounded, and so is the time it holds up Redis (about 3 ms)."""


class ColdCacheError(RoasError):
    """Redis does not hold the data set that this write belongs to: fill it from PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one window size Redis keeps, and for how long after its last write."""

    kept_windows: int
    ttl_seconds: int
    currency: str


class MetricsCache:
    """The writing side of `roas_contracts.redis_layout`. Not thread-safe.

    Every method raises `TransientError` when Redis does not answer or refuses for want of memory.

    Args:
        url: `redis://host:port/db`.
        bounds: by window size.
        now_ms: the wall clock, milliseconds.
    """

    def __init__(
        self,
        url: str,
        bounds: dict[WindowSize, Bounds],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.bounds = bounds
        self.on_connect: Callable[[], None] = lambda: None
        """Called for each new connection."""
        self._now_ms = now_ms
        try:
            pool = redis.ConnectionPool.from_url(
                url,
                decode_responses=True,
                max_connections=1,
                socket_timeout=10,
                socket_connect_timeout=2,
                # A silent retry would hide that the server may have lost what it held.
                retry=Retry(NoBackoff(), 0),
                redis_connect_func=self._connected,
            )
        except ValueError as error:
            raise MisconfigurationError(
                f"ROAS_CACHE_WRITER_REDIS_URL is not usable: {error}"
            ) from None
        self._redis = redis.Redis(connection_pool=pool)
        self._apply = self._redis.register_script(cache_scripts.APPLY)
        self._forget = self._redis.register_script(cache_scripts.FORGET)
        self._finish = self._redis.register_script(cache_scripts.FINISH)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
        self._redis.connection_pool.disconnect()

    def ping(self) -> None:
        """Find out whether Redis answers."""
        with _translated():
            self._redis.ping()

    def generation(self, size: WindowSize) -> str | None:
        """The identity of what Redis holds of one size; None when it holds nothing."""
        with _translated():
            found: Any = self._redis.hget(meta_key(size), "generation")
        return None if found is None else str(found)

    def begin(self, size: WindowSize) -> str:
        """The generation to fill: the one that is there, or a new one. Sets the bounds."""
        bounds = self.bounds[size]
        with _translated():
            self._redis.hsetnx(meta_key(size), "generation", uuid.uuid4().hex)
            self._redis.hset(
                meta_key(size),
                mapping={
                    "kept_windows": bounds.kept_windows,
                    "ttl_seconds": bounds.ttl_seconds,
                    "currency": bounds.currency,
                },
            )
        generation = self.generation(size)
        if generation is None:
            raise TransientError("Redis was emptied while it was being filled")
        return generation

    def apply(self, size: WindowSize, generation: str, rows: Iterable[StoredRow]) -> int:
        """Set rows; older ones than those held, and ones of windows too old to keep, are left.

        Returns:
            How many were set.

        Raises:
            ColdCacheError: Redis holds another generation, or nothing.
        """
        by_window: dict[tuple[str, int], list[StoredRow]] = defaultdict(list)
        for row in rows:
            by_window[row.dimension, row.window_start].append(row)
        bounds, written_at = self.bounds[size], self._now_ms()
        pipeline = self._redis.pipeline(transaction=False)
        calls = 0
        for (dimension, start), members in sorted(by_window.items()):
            for chunk in _chunks(members, _ROWS_PER_CALL):
                self._apply(
                    keys=[meta_key(size), index_key(size), window_key(size, dimension, start)],
                    args=[
                        generation,
                        start,
                        index_member(dimension, start),
                        bounds.kept_windows,
                        size.millis,
                        bounds.ttl_seconds,
                        _packed(size, chunk, written_at),
                    ],
                    client=pipeline,
                )
                calls += 1
        if not calls:
            return 0
        with _translated():
            replies: list[int] = pipeline.execute()
        return sum(replies)

    def finish(
        self,
        size: WindowSize,
        generation: str,
        *,
        newest_window_start: int | None,
        newest_emitted_at: int,
        force: bool = False,
        warmed: bool = False,
    ) -> None:
        """After the rows: move the pointer and the freshness on, let windows too old go.

        Args:
            force: set the pointer also to an older window (PostgreSQL is behind Redis: restored).
            warmed: all that PostgreSQL has is in now.

        Raises:
            ColdCacheError: as `apply`.
        """
        with _translated():
            self._finish(
                keys=[meta_key(size), index_key(size)],
                args=[
                    generation,
                    "" if newest_window_start is None else newest_window_start,
                    newest_emitted_at,
                    self._now_ms(),
                    int(force),
                    int(warmed),
                    self.bounds[size].kept_windows,
                    size.millis,
                    f"{PREFIX}{{{size.value}}}:w:",
                ],
            )

    def newest_window_start(self, size: WindowSize) -> int | None:
        """The pointer to the newest complete window."""
        with _translated():
            found: Any = self._redis.hget(meta_key(size), "newest_window_start")
        return None if found is None else int(found)

    def index(self, size: WindowSize) -> list[tuple[str, int]]:
        """(dimension, window start) of every window held, oldest first."""
        with _translated():
            members: Any = self._redis.zrange(index_key(size), 0, -1)
        return [parse_index_member(member) for member in members]

    def revisions(
        self, size: WindowSize, windows: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], dict[str, int]]:
        """The revision of every value of some windows."""
        pipeline = self._redis.pipeline(transaction=False)
        for dimension, start in windows:
            pipeline.hgetall(window_key(size, dimension, start))
        with _translated():
            replies: list[dict[str, str]] = pipeline.execute()
        return {
            window: {value: _revision(text) for value, text in fields.items()}
            for window, fields in zip(windows, replies, strict=True)
        }

    def forget(self, size: WindowSize, dimension: str, start: int, values: Sequence[str]) -> int:
        """Remove values from a window; the last one takes the window with it. How many went."""
        gone = 0
        with _translated():
            for chunk in _chunks(values, _ROWS_PER_CALL):
                reply: Any = self._forget(
                    keys=[index_key(size), window_key(size, dimension, start)],
                    args=[index_member(dimension, start), *chunk],
                )
                gone += int(reply)
        return gone

    def forget_windows(self, size: WindowSize, windows: Sequence[tuple[str, int]]) -> int:
        """Remove whole windows; how many there were."""
        gone = 0
        with _translated():
            for dimension, start in windows:
                gone += int(self._redis.unlink(window_key(size, dimension, start)))
                self._redis.zrem(index_key(size), index_member(dimension, start))
        return gone

    def forget_everything(self) -> int:
        """Remove every key of this layout version; how many there were."""
        gone = 0
        with _translated():
            # The generations first: a live writer must not take what is left for a data set.
            for size in WindowSize:
                gone += int(self._redis.unlink(meta_key(size)))
            for keys in _chunks(self._redis.scan_iter(match=f"{PREFIX}*", count=1000), 1000):
                gone += int(self._redis.unlink(*keys))
        return gone

    def memory(self) -> dict[str, Any]:
        """The server's memory: used, limit, evicted keys."""
        with _translated():
            memory: Any = self._redis.info("memory")
            stats: Any = self._redis.info("stats")
        return {
            "used_bytes": memory["used_memory"],
            "limit_bytes": memory.get("maxmemory") or None,
            "evicted_keys": stats.get("evicted_keys", 0),
        }

    def _connected(self, connection: Any) -> None:
        connection.on_connect()
        self.on_connect()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        if "COLD" in str(error):
            raise ColdCacheError("Redis was emptied, or filled by another writer") from error
        raise TransientError(f"Redis refuses a write: {error}") from error
    except (redis.RedisError, OSError) as error:
        raise TransientError(f"Redis does not answer: {error}") from error


def _packed(size: WindowSize, rows: Iterable[StoredRow], written_at: int) -> str:
    """Value, revision and text of each row as one argument: thousands would cost more time in
    the client than all else. No text has a NUL, and none is empty: the contract's rules see to it.
    """
    return "\0".join(
        f"{row.value}\0{row.revision}\0{row.redis_text(size, written_at)}" for row in rows
    )


def _revision(text: str) -> int:
    """The revision in an encoded row; -1, older than any, for what is not one."""
    head = text.partition(",")[0]
    return int(head) if head.isdigit() else -1


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
