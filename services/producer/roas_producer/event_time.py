"""When a row of an hour happened: Avazu says only the hour, so it is spread over it."""

from __future__ import annotations

from roas_producer.rows import HOUR_MS


def spread(start_ms: int, index: int, count: int) -> int:
    """Event time of the ``index``-th (from 0) of ``count`` rows of the hour at ``start_ms``.

    Deterministic, non-decreasing in ``index``, and always inside the hour. Milliseconds.
    """
    return start_ms + index * HOUR_MS // count
