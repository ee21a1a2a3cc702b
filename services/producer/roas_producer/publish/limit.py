"""When bad rows are no longer the exception: stop, rather than turn a file into dead letters."""

from __future__ import annotations

from collections import Counter
from typing import Final

from roas_contracts.errors import InputError
from roas_producer.rows import BadRow

LEADING: Final = 1_000
"""So many bad rows at the head of a file, and not one good one, are a wrong mapping."""
LEAST: Final = 1_000
"""A share means nothing before so many rows were seen."""


class BadRowLimit:
    """Watches the rows go by. Pure; the same rows give the same answer.

    Args:
        name: the file's, for messages.
        share: of all rows so far that may be bad, 0 to 1.
    """

    def __init__(self, name: str, share: float) -> None:
        self._name = name
        self._share = share
        self._rows = 0
        self._first = ""
        self.reasons: Counter[str] = Counter()

    @property
    def bad(self) -> int:
        """Bad rows so far."""
        return self.reasons.total()

    def good(self) -> None:
        """A row became an event."""
        self._rows += 1

    def add(self, row: BadRow) -> None:
        """A row is bad.

        Raises:
            InputError: not one row so far was good.
        """
        self._rows += 1
        self.reasons[row.reason.value] += 1
        self._first = self._first or f"row {row.line}: {row.reason.value}: {row.detail}"
        if self.bad == self._rows == LEADING:
            raise InputError(
                f"{self._name}: not one of the first {LEADING:,} rows can be an event "
                f"({self._first}): look at the mapping with --dry-run; nothing was sent"
            )

    def check(self) -> None:
        """Hold the share against the limit.

        Raises:
            InputError: too many rows are bad.
        """
        if self._rows >= LEAST and self.bad > self._rows * self._share:
            raise InputError(
                f"{self._name}: {self.bad:,} of {self._rows:,} rows are bad ({self._first}), "
                f"more than {self._share:.0%} (ROAS_PRODUCER_MAX_BAD_ROW_SHARE): look at the "
                "mapping with --dry-run"
            )
