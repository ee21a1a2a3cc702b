"""What the reader answers besides rows: rankings and freshness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from roas_contracts.redis_layout.keys import LayoutError, WindowSize, meta_key
from roas_contracts.redis_layout.values import Measures


class TopBy(StrEnum):
    """What the values of a dimension can be ranked by."""

    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    COST = "cost"
    REVENUE = "revenue"
    CTR = "ctr"


@dataclass(frozen=True, slots=True)
class TopEntry:
    """One value of a ranked dimension, with its sums over the ranked windows."""

    value: str
    totals: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFreshness:
    """How fresh one window size is, and how much of it Redis keeps. Times: epoch milliseconds."""

    size: WindowSize
    newest_window_start: int | None
    """Newest window that closed on time (its `total` is in); None before the first."""
    newest_emitted_at: int
    """Wall clock at which ctr-stream emitted the newest delta that is in here."""
    written_at: int
    """Wall clock of the last write."""
    warmed_at: int
    """Wall clock at which this data set was last brought in line with PostgreSQL."""
    kept_windows: int
    """Windows are kept from `oldest_kept_window_start` on."""
    ttl_seconds: int
    """A window's key lives this long after its last write."""
    currency: str
    """ISO 4217 code of all money in here."""

    @property
    def oldest_kept_window_start(self) -> int | None:
        """Start of the oldest window that is kept; None before the first window closed."""
        if self.newest_window_start is None:
            return None
        return self.newest_window_start - (self.kept_windows - 1) * self.size.millis

    @property
    def newest_window_end(self) -> int | None:
        """Event time up to which windows are complete; None before the first one closed."""
        if self.newest_window_start is None:
            return None
        return self.newest_window_start + self.size.millis


@dataclass(frozen=True, slots=True)
class Freshness:
    """Freshness by window size; a size that was never written is absent."""

    sizes: dict[WindowSize, SizeFreshness] = field(default_factory=dict)

    @property
    def written_at(self) -> int | None:
        """Wall clock of the last write of any size, epoch milliseconds; None before the first."""
        return max((size.written_at for size in self.sizes.values()), default=None)


def size_freshness(size: WindowSize, meta: Mapping[str, str]) -> SizeFreshness:
    """The freshness in a meta hash; LayoutError when it lacks a field or has a wrong one."""
    newest = meta.get("newest_window_start")
    try:
        return SizeFreshness(
            size=size,
            newest_window_start=None if newest is None else int(newest),
            newest_emitted_at=int(meta.get("newest_emitted_at", 0)),
            written_at=int(meta.get("written_at", 0)),
            warmed_at=int(meta.get("warmed_at", 0)),
            kept_windows=int(meta["kept_windows"]),
            ttl_seconds=int(meta["ttl_seconds"]),
            currency=meta["currency"],
        )
    except (KeyError, ValueError) as error:
        raise LayoutError(f"Redis key {meta_key(size)} is not version 1: {error}") from None
