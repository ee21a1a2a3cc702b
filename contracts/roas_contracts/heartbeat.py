"""Heartbeats: event time goes on where traffic stops.

A heartbeat is a record with key null, value null and the header `roas-heartbeat`, whose value is
the publisher's event clock H as ASCII decimal milliseconds. It promises that every later event of
this publisher has event_time >= H. Our producer writes one to every partition of every event
topic each second, and one past the end of its input.
"""

from dataclasses import dataclass
from typing import Final

from roas_contracts import headers

MAX_DIGITS: Final = 19
"""Longest clock, in digits: that of the largest 64-bit integer."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A publisher's event clock: nothing before `event_time` (milliseconds) is still to come."""

    event_time: int


def heartbeat_headers(event_time: int) -> list[tuple[str, bytes]]:
    """The headers of a heartbeat record.

    Raises:
        ValueError: the time is negative, which no clock of ours is.
    """
    if event_time < 0:
        raise ValueError(f"a heartbeat can't be before 1970: {event_time}")
    return [(headers.HEARTBEAT, b"%d" % event_time)]


def clock_of(items: headers.HeaderItems) -> int | None:
    """The event clock in a record's headers; None where there is none or it is not a number.

    A number is 1 to 19 ASCII digits (leading zeros are fine, signs and blanks are not).
    """
    text = headers.last(items, headers.HEARTBEAT)
    if text is None or not text.isdigit() or len(text) > MAX_DIGITS:
        return None
    return int(text)
