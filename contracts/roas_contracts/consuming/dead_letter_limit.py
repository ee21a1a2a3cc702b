"""When poison is no longer the exception: stop loudly, don't empty a topic into dead letters."""

from __future__ import annotations

from collections import deque
from typing import Final

from roas_contracts.errors import MisconfigurationError

SHARE_WINDOW: Final = 10_000
"""The share is that of the last so many records …"""
SHARE_LEAST: Final = 1_000
"""… and means nothing before so many were seen."""


class DeadLetterLimit:
    """Watches the records go by and raises when too many of them are poison. Pure.

    Args:
        settings_prefix: of the two settings behind it, for the message: ROAS_CACHE_WRITER_.
        consecutive: stop at so many poison records in a row.
        share: stop when more than this share of the last `SHARE_WINDOW` records was poison.
    """

    def __init__(self, settings_prefix: str, consecutive: int, share: float) -> None:
        self._prefix = settings_prefix
        self._consecutive_limit = consecutive
        self._share_limit = share
        self._in_a_row = 0
        self._seen = 0
        self._poison_at: deque[int] = deque()

    def good(self, count: int = 1) -> None:
        """`count` records were fine."""
        self._seen += count
        self._in_a_row = 0

    def poison(self) -> None:
        """One record was poison.

        Raises:
            MisconfigurationError: that was one too many; names the settings.
        """
        self._seen += 1
        self._in_a_row += 1
        self._poison_at.append(self._seen)
        while self._poison_at[0] <= self._seen - SHARE_WINDOW:
            self._poison_at.popleft()
        if self._in_a_row >= self._consecutive_limit:
            raise MisconfigurationError(
                f"{self._in_a_row} records in a row are poison: this looks like a wrong topic, "
                "registry or currency, not like a few bad records; nothing of this batch was "
                f"moved to dead-letters (limit: {self._prefix}MAX_CONSECUTIVE_DEAD_LETTERS)"
            )
        recent = min(self._seen, SHARE_WINDOW)
        if recent >= SHARE_LEAST and len(self._poison_at) / recent > self._share_limit:
            raise MisconfigurationError(
                f"{len(self._poison_at)} of the last {recent} records are poison: this looks "
                "like a wrong topic, registry or currency; nothing of this batch was moved to "
                f"dead-letters (limit: {self._prefix}MAX_DEAD_LETTER_SHARE)"
            )
