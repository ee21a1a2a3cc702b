"""Names of the keys, and the two window sizes they are named after."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from roas_contracts.errors import RoasError

VERSION: Final = "v1"
PREFIX: Final = f"roas:{VERSION}:"


class LayoutError(RoasError):
    """Redis holds something under our keys that this version of the layout can't have written."""


class WindowSize(StrEnum):
    """The two tumbling window sizes, named as in keys, topics and table names."""

    ONE_MINUTE = "1m"
    FIVE_MINUTES = "5m"

    @property
    def millis(self) -> int:
        """Length in milliseconds."""
        return 60_000 if self is WindowSize.ONE_MINUTE else 300_000


# Keys. The braces put all keys of one size into one slot, so the scripts also run on a cluster.


def meta_key(size: WindowSize) -> str:
    """Hash with the pointer to the newest complete window, freshness and bounds of one size."""
    return f"{PREFIX}{{{size.value}}}:meta"


def index_key(size: WindowSize) -> str:
    """Sorted set of all window hashes of one size: `index_member`, scored by window start."""
    return f"{PREFIX}{{{size.value}}}:index"


def dimension_prefix(size: WindowSize, dimension: str) -> str:
    """What the keys of all windows of one dimension start with; the window start follows."""
    return f"{PREFIX}{{{size.value}}}:w:{dimension}:"


def window_key(size: WindowSize, dimension: str, window_start: int) -> str:
    """Hash of one window of one dimension: value -> encoded totals."""
    return f"{dimension_prefix(size, dimension)}{window_start}"


def index_member(dimension: str, window_start: int) -> str:
    """A window hash as a member of the index."""
    return f"{dimension}:{window_start}"


def parse_index_member(member: str) -> tuple[str, int]:
    """The (dimension, window start) of an index member."""
    dimension, _, start = member.rpartition(":")
    try:
        return dimension, int(start)
    except ValueError:
        raise LayoutError(f"not a member of a Redis window index: {member!r}") from None
