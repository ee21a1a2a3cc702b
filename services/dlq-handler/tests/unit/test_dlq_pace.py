"""The rate holds in every second, also after an outage."""

from __future__ import annotations

from roas_dlq_handler.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sent_within(pace: Pace, clock: Clock, seconds: float, at_once: int, work: float) -> int:
    """How many go out in so many seconds, in batches that take a while themselves."""
    ends, sent = clock.now + seconds, 0
    while clock.now < ends:
        clock.now += work
        sent += at_once
        clock.now += pace.after(at_once)
    return sent


def test_it_is_the_rate_that_was_asked_for() -> None:
    clock = Clock()
    pace = Pace(1_000, clock)
    assert 9_750 <= sent_within(pace, clock, 10, at_once=250, work=0.01) <= 10_250


def test_who_can_not_keep_up_does_not_wait() -> None:
    clock = Clock()
    pace = Pace(1_000, clock)
    assert sent_within(pace, clock, 10, at_once=250, work=1.0) == 2_500


def test_after_an_outage_there_is_no_flood() -> None:
    clock = Clock()
    pace = Pace(1_000, clock)
    pace.after(250)
    clock.now += 60
    assert sent_within(pace, clock, 10, at_once=250, work=0.01) <= 11_250
