"""The error tree: every class says what the caller should do, not only what happened.

    RoasError
    ├── TransientError          wait and try again; never a dead letter
    ├── PoisonError             this record can never be processed: dead letter, go on with the next
    ├── MisconfigurationError   a person has to change a setting
    ├── InputError              a person has to change the input
    └── FencedError             another instance took over: stop

Messages are one sentence for a person. Command lines print them without a traceback and leave
with `exit_code`.
"""

from typing import ClassVar

from roas_contracts import exit_codes
from roas_contracts.events import DeadLetterReason

DETAIL_MAX_CHARS = 512
"""Longest `detail` of a dead letter, in characters (Unicode code points)."""


class RoasError(Exception):
    """Something went wrong that we know how to explain to a person."""

    exit_code: ClassVar[int] = exit_codes.NO


class TransientError(RoasError):
    """A dependency does not answer, or answers that it can't now. Pause, back off, retry."""

    exit_code: ClassVar[int] = exit_codes.UNAVAILABLE


class MisconfigurationError(RoasError):
    """A setting is wrong. The message names the setting (variable, file and key)."""

    exit_code: ClassVar[int] = exit_codes.USAGE


class InputError(RoasError):
    """An input file is wrong. The message names the file and, where there is one, the line."""

    exit_code: ClassVar[int] = exit_codes.USAGE


class FencedError(RoasError):
    """Another instance took over this one's work; going on would do it twice."""

    exit_code: ClassVar[int] = exit_codes.NO


class PoisonError(RoasError):
    """A record, or a row of a file, that no retry can help.

    Args:
        reason: which rule failed.
        detail: what exactly, for a person; clipped to `DETAIL_MAX_CHARS`.
        schema_id: the writer schema's id, where it could be read.
    """

    def __init__(self, reason: DeadLetterReason, detail: str, schema_id: int | None = None) -> None:
        self.reason = reason
        self.detail = detail[:DETAIL_MAX_CHARS]
        self.schema_id = schema_id
        super().__init__(f"{reason}: {self.detail}")

    def __reduce__(
        self,
    ) -> tuple[type["PoisonError"], tuple[DeadLetterReason, str, int | None]]:
        """Pickle by the constructor's arguments, so that it survives a process boundary."""
        return type(self), (self.reason, self.detail, self.schema_id)
