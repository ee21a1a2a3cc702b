"""The seam between where rows come from and what is made of them.

The CSV reader (:mod:`roas_producer.kaggle`) and the row generator
(:mod:`roas_producer.generator`) both yield :class:`HourBlock` objects in the order of their
hours. Everything behind this seam is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from roas_contracts.events import DeadLetterReason

HOUR_MS = 3_600_000
"""Length of a block in milliseconds of event time."""

NO_SITE = "85f751fd"
"""``site_id`` of a row that was shown in an app (Avazu's null token)."""

NO_APP = "ecad2386"
"""``app_id`` of a row that was shown on a site (Avazu's null token)."""

NO_DEVICE = "a99f214a"
"""``device_id`` of a row whose device is not known (Avazu's null token)."""

T_co = TypeVar("T_co", covariant=True)


class AdRow(NamedTuple):
    """One row in Kaggle's 24 columns, typed as the event contracts want them.

    Codes that the contracts carry as integers are integers; codes that are only ever names
    (creative, campaign, advertiser, attributes) stay decimal strings. A named tuple and not a
    dataclass: it is built once per row, in C, five times faster, and is as immutable.
    """

    id: str
    """Impression id: an unsigned 64-bit decimal without leading zeros."""
    click: bool | None
    """Whether it was clicked; None where the source does not say (Kaggle's test set)."""
    hour_start_ms: int
    """Start of the row's hour, milliseconds since the epoch, UTC."""
    C1: str
    banner_pos: int
    site_id: str
    site_domain: str
    site_category: str
    app_id: str
    app_domain: str
    app_category: str
    device_id: str
    """Raw, null token included."""
    device_ip: str
    device_model: str
    device_type: int
    device_conn_type: int
    C14: str
    C15: int
    C16: int
    C17: str
    C18: str
    C19: str
    C20: str
    C21: str


class BadRow(NamedTuple):
    """A row that cannot become an event: it becomes a dead letter."""

    line: int
    """Line in the file, 1-based, the header included."""
    reason: DeadLetterReason
    detail: str
    """For a person: which column, which value."""
    raw: bytes
    """The line as it was read, without its line end."""
    time_ms: int | None = None
    """Where it stands in the input's own time; known when its hour is read to its end."""


class SizedIterable(Protocol[T_co]):
    """What a block asks of its rows: how many, and in order, as often as asked.

    A list will do; so will something that reads back a temporary file, or that builds rows
    chunk by chunk, so that a large hour never sits in memory as objects.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[T_co]: ...


class RowTimes(Protocol):
    """When the rows of an hour are, in milliseconds; never falling."""

    def good(self) -> Iterator[int]:
        """Of each good row."""

    def bad(self) -> Iterator[int]:
        """Of each bad row."""


@dataclass(frozen=True, slots=True)
class HourBlock:
    """All rows of one hour, in their order. Blocks come in strictly rising hours."""

    start_ms: int
    """Start of the hour, milliseconds since the epoch, UTC, a multiple of ``HOUR_MS``."""
    rows: SizedIterable[AdRow]
    """Every row has ``hour_start_ms == start_ms``."""
    bad: SizedIterable[BadRow] = ()
    """Rows of this hour that cannot become events."""
    times: RowTimes | None = None
    """When they are; without it the i-th of n rows is at i/n of the hour, and none is bad."""
