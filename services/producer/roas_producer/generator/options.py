"""What a person may choose about generated rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from roas_contracts.errors import InputError
from roas_producer.generator.identifiers import MAX_ROWS_PER_HOUR
from roas_producer.rows import HOUR_MS

DEFAULT_START = datetime(2014, 10, 21, tzinfo=UTC)
"""The first hour of Avazu's training data."""

MODEL_VERSION = 1
"""Raised with every change after which equal options give other rows: a run that was interrupted
before the change can't be gone on with after it."""

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
_MAX_HOURS = 366 * 24


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """Everything that decides which rows are generated: equal options, equal rows.

    Raises InputError, naming the option, for a value that makes no sense.
    """

    rows: int | None = None
    """Impressions in total, spread over the hours as published; None: as many as `scale` says."""
    hours: int = 240
    """How many hours of event time. After the ten published days they start over."""
    scale: float = 1.0
    """Share of the published volume (40.4 million rows in ten days). Not together with `rows`."""
    seed: int = 1
    """Any number from 0 to 2**64 - 1."""
    start: datetime = DEFAULT_START
    """First hour; without a time zone it is taken as UTC. Must be a full hour."""
    model_version: int = field(default=MODEL_VERSION, init=False)
    """Not a choice: makes the options of another version other options."""

    def __post_init__(self) -> None:
        if not 1 <= self.hours <= _MAX_HOURS:
            raise InputError(f"hours must be between 1 and {_MAX_HOURS}, not {self.hours}")
        if self.rows is not None and not 1 <= self.rows < MAX_ROWS_PER_HOUR:
            raise InputError(f"rows must be at least 1 and below 2**38, not {self.rows}")
        if self.rows is not None and self.scale != 1.0:
            raise InputError("give either rows or scale, not both")
        if not 0.0 < self.scale <= 1_000.0:
            raise InputError(f"scale must be above 0 and at most 1000, not {self.scale}")
        if not 0 <= self.seed < 1 << 64:
            raise InputError(f"seed must be between 0 and 2**64 - 1, not {self.seed}")
        if self.start_ms % HOUR_MS:
            raise InputError(f"start must be a full hour (UTC), not {self.start.isoformat()}")
        if self.start_ms < _milliseconds(_EARLIEST):
            raise InputError(f"start must not be before 2010, not {self.start.isoformat()}")

    @property
    def start_ms(self) -> int:
        """The first hour, milliseconds since the epoch, UTC."""
        return _milliseconds(self.start)


def _milliseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
