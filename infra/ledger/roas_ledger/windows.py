"""Places in event time, and how they are written for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from roas_contracts.redis_layout import WindowSize

ONE_MINUTE = WindowSize.ONE_MINUTE
FIVE_MINUTES = WindowSize.FIVE_MINUTES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def floor(size: WindowSize, time_ms: int) -> int:
    """Start of the window of a size that holds `time_ms` (epoch milliseconds)."""
    return time_ms - time_ms % size.millis


def metrics_topic(size: WindowSize) -> str:
    """Topic that carries a size's deltas."""
    return f"ad-metrics-{size.value}"


def iso(time_ms: int) -> str:
    """Epoch milliseconds as ISO 8601 UTC, with milliseconds where there are any.

    Times that no calendar has (poison can carry any long) stay a number.
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms"
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    millis = time_ms % 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def iso_or_none(time_ms: int | None) -> str | None:
    """As `iso`, None for None."""
    return None if time_ms is None else iso(time_ms)
