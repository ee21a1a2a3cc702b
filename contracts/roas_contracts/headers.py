"""The Kafka headers that are ours: names that start with `roas-`.

Where a name comes more than once, the last one counts, as with Kafka's own `lastHeader`. Names
are case-sensitive.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol, TypeAlias, cast

from roas_contracts.events import Headers

HeaderItems: TypeAlias = Iterable[tuple[str, bytes | None]] | None
"""Headers as confluent-kafka gives them; None where a record has none."""

PREFIX: Final = "roas-"
"""Reserved: no header of a publisher may start with it."""

HEARTBEAT: Final = "roas-heartbeat"
"""On a null value: the event clock, ASCII decimal milliseconds. See `roas_contracts.heartbeat`."""

REPLAY_OF: Final = "roas-replay-of"
"""On a replayed record: the dead letter id that it is a replay of, UTF-8."""

FOR_GROUP: Final = "roas-for-group"
"""The one consumer group that this record is meant for, UTF-8; every other group skips it."""

VALUE_LEFT_OUT: Final = "roas-value-left-out"
"""In a dead letter: the length, ASCII decimal, of the failed record's value, which was too long to
keep. The record is where it was."""

CORRECTION: Final = "roas-correction"
"""On a CORRECTION delta of reconciliation: its id, so that no correction is made twice."""

CORRECTION_SCOPE: Final = "roas-correction-scope"
"""Beside it: `stream` (what was counted is corrected) or `table` (only a table was wrong)."""


class HasHeaders(Protocol):
    """A `confluent_kafka.Message`, whose type says more than it ever returns (a dict, text)."""

    def headers(self) -> Any:
        """The headers in order; None where there are none."""


def of(record: HasHeaders) -> Headers:
    """The headers of a consumed record, in order, repeats kept."""
    return cast(Headers, tuple(record.headers() or ()))


def last(headers: HeaderItems, name: str) -> bytes | None:
    """The value of the last header of this name; None where there is none or it has no value."""
    found: bytes | None = None
    for header_name, value in headers or ():
        if header_name == name:
            found = value
    return found


def is_for_another_group(headers: HeaderItems, group: str) -> bool:
    """Whether `roas-for-group` names a consumer group other than this one.

    A header without a value, or with an empty one, names no group: the record is for everyone.
    """
    named = last(headers, FOR_GROUP)
    return bool(named) and named != group.encode()
