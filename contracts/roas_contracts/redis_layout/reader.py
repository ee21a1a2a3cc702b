"""A reader of the layout: the ledger, the demo's view and the dashboard read through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import redis

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.redis_layout.answers import Freshness, TopBy, TopEntry, size_freshness
from roas_contracts.redis_layout.keys import (
    LayoutError,
    WindowSize,
    dimension_prefix,
    index_key,
    meta_key,
    parse_index_member,
    window_key,
)
from roas_contracts.redis_layout.scripts import LAST_WINDOWS_SCRIPT, TOP_SCRIPT
from roas_contracts.redis_layout.values import WindowTotals, decode_totals, measures_of

CTR_MIN_IMPRESSIONS: Final = 100
"""Fewest impressions a value needs to be ranked by CTR when the caller names no other volume."""


class RedisMetricsReader:
    """Answers a dashboard's questions, each in one round trip.

    Every method raises `TransientError` when Redis does not answer and `LayoutError` when it
    holds something this layout can't have written. Instances are thread-safe.
    """

    def __init__(self, client: redis.Redis) -> None:
        """Read through `client`, which must have been made with `decode_responses=True`."""
        self._redis = client
        self._last_windows = client.register_script(LAST_WINDOWS_SCRIPT)
        self._top = client.register_script(TOP_SCRIPT)

    @classmethod
    def connect(cls, url: str, *, timeout_seconds: float = 5.0) -> RedisMetricsReader:
        """A reader on the Redis at `url` (`redis://host:port/db`); connects on first use."""
        try:
            client = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
            )
        except ValueError as error:
            raise MisconfigurationError(f"the Redis URL is not usable: {error}") from None
        return cls(client)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def last_windows(
        self, size: WindowSize | str, dimension: str, value: str, count: int = 60
    ) -> list[WindowTotals]:
        """The last `count` windows of a value, oldest first, up to the newest complete window.

        A window in which nothing was counted for the value has no row.
        """
        size = WindowSize(size)
        arguments: list[str | int] = [dimension_prefix(size, dimension), value, count, size.millis]
        reply = self._call(lambda: self._last_windows(keys=[meta_key(size)], args=arguments))
        return [
            decode_totals(size, dimension, int(start), value, text)
            for start, text in zip(reply[::2], reply[1::2], strict=True)
        ]

    def top(
        self,
        size: WindowSize | str,
        dimension: str,
        n: int,
        by: TopBy | str = TopBy.IMPRESSIONS,
        windows: int = 1,
        min_impressions: int | None = None,
    ) -> list[TopEntry]:
        """The `n` best values of a dimension over the newest complete `windows` windows.

        Args:
            min_impressions: values with fewer are left out; by default `CTR_MIN_IMPRESSIONS`
                when ranked by CTR, else 0.
        """
        size, by = WindowSize(size), TopBy(by)
        if min_impressions is None:
            min_impressions = CTR_MIN_IMPRESSIONS if by is TopBy.CTR else 0
        prefix = dimension_prefix(size, dimension)
        arguments: list[str | int] = [prefix, n, by.value, windows, size.millis, min_impressions]
        reply = self._call(lambda: self._top(keys=[meta_key(size)], args=arguments))
        return [
            TopEntry(reply[i], measures_of(map(int, reply[i + 1 : i + 6])))
            for i in range(0, len(reply), 6)
        ]

    def freshness(self) -> Freshness:
        """How fresh each window size is and how much of it is kept."""
        pipeline = self._redis.pipeline(transaction=False)
        for size in WindowSize:
            pipeline.hgetall(meta_key(size))
        replies = self._call(pipeline.execute)
        return Freshness(
            {
                size: size_freshness(size, meta)
                for size, meta in zip(WindowSize, replies, strict=True)
                if meta
            }
        )

    def index(self, size: WindowSize | str) -> list[tuple[str, int]]:
        """(dimension, window start) of every window hash held, oldest first."""
        size = WindowSize(size)
        members = self._call(lambda: self._redis.zrange(index_key(size), 0, -1))
        return [parse_index_member(member) for member in members]

    def window(
        self, size: WindowSize | str, dimension: str, window_start: int
    ) -> dict[str, WindowTotals]:
        """All values of one dimension in one window, by value; empty when it is not held."""
        size = WindowSize(size)
        key = window_key(size, dimension, window_start)
        fields = self._call(lambda: self._redis.hgetall(key))
        return {
            value: decode_totals(size, dimension, window_start, value, text)
            for value, text in fields.items()
        }

    def everything(self, size: WindowSize | str) -> Iterator[WindowTotals]:
        """Every row held of one size, by window (for comparisons, not for dashboards)."""
        for dimension, window_start in self.index(size):
            yield from self.window(size, dimension, window_start).values()

    def _call(self, command: Callable[[], Any]) -> Any:
        try:
            return command()
        except redis.ResponseError as error:
            raise LayoutError(f"Redis refused a read: {error}") from error
        except (redis.RedisError, OSError) as error:
            raise TransientError(f"Redis does not answer: {error}") from error
