"""When a kill counts as recovered from."""

from __future__ import annotations

import pytest

from roas_chaos.plan import Aim, Kill, Target
from roas_chaos.wounds import Starts, Wound, starts
from roas_contracts.redis_layout import WindowSize
from roas_local.demo_feed import Snapshot
from roas_local.state import UnitPhase, UnitState

CLOCK = 1_413_849_600_000
SPEED = 60.0
WOUND = Wound(
    Kill(1, Target.KAFKA, Aim.ANY, recovered_first=True, pause_seconds=1.0), 0.0, 2, CLOCK
)
SENT_AFTERWARDS = CLOCK + 2 * 60_000 + 60_000
"""The end of the first window that holds nothing sent before the kill."""


def seen(complete_until: int) -> Snapshot:
    return Snapshot(complete_until={WindowSize.ONE_MINUTE: complete_until})


def kafka(restarts: int, *ready: Target) -> Starts:
    return Starts({Target.KAFKA: restarts}, frozenset(ready))


def test_back_and_showing_what_was_sent_afterwards_is_recovered() -> None:
    assert WOUND.healed(kafka(3, Target.KAFKA), seen(SENT_AFTERWARDS), SPEED)


@pytest.mark.parametrize(
    ("found", "complete_until"),
    [
        (kafka(2, Target.KAFKA), SENT_AFTERWARDS),  # Ready as it was before the kill.
        (kafka(3), SENT_AFTERWARDS),  # Started, and not answering yet.
        (kafka(3, Target.KAFKA), SENT_AFTERWARDS - 1),  # Only what was sent before.
    ],
)
def test_anything_less_is_not(found: Starts, complete_until: int) -> None:
    assert not WOUND.healed(found, seen(complete_until), SPEED)


def test_redis_without_any_window_is_not() -> None:
    assert not WOUND.healed(kafka(3, Target.KAFKA), Snapshot(), SPEED)


def test_starts_are_those_of_the_supervisor_and_of_the_producers_own() -> None:
    units = {
        "kafka": UnitState("kafka", UnitPhase.READY, 0.0, 4, {}, ""),
        "redis": UnitState("redis", UnitPhase.BACKOFF, 0.0, 1, {}, ""),
    }
    found = starts(units, producer_restarts=7, producer_runs=False)
    assert found.restarts == {Target.PRODUCER: 7, Target.KAFKA: 4, Target.REDIS: 1}
    assert found.ready == {Target.KAFKA}
