"""The limit stops at the record that passes it, not earlier, not later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.consuming.dead_letter_limit import SHARE_LEAST, SHARE_WINDOW, DeadLetterLimit
from roas_contracts.errors import MisconfigurationError

_PREFIX = "ROAS_CACHE_WRITER_"


@given(st.integers(1, 50), st.integers(0, 20))
def test_it_stops_at_so_many_in_a_row(limit: int, before: int) -> None:
    watched = DeadLetterLimit(_PREFIX, limit, 1.0)
    watched.good(before)
    for _ in range(limit - 1):
        watched.poison()
    with pytest.raises(MisconfigurationError, match="MAX_CONSECUTIVE_DEAD_LETTERS"):
        watched.poison()


def test_a_good_record_ends_the_row() -> None:
    watched = DeadLetterLimit(_PREFIX, 2, 1.0)
    for _ in range(100):
        watched.poison()
        watched.good()


def test_the_share_means_nothing_before_enough_was_seen() -> None:
    watched = DeadLetterLimit(_PREFIX, 10_000, 0.1)
    for _ in range(SHARE_LEAST - 1):
        watched.poison()
    with pytest.raises(MisconfigurationError, match="MAX_DEAD_LETTER_SHARE"):
        watched.poison()


def test_the_share_is_that_of_the_last_records() -> None:
    watched = DeadLetterLimit(_PREFIX, 10_000, 0.1)
    watched.good(SHARE_WINDOW * 5)
    for _ in range(SHARE_WINDOW // 10):
        watched.poison()
    with pytest.raises(MisconfigurationError):
        watched.poison()


def test_old_poison_is_forgotten() -> None:
    watched = DeadLetterLimit(_PREFIX, 10_000, 0.1)
    watched.good(SHARE_WINDOW)
    for _ in range(20):
        for _ in range(SHARE_WINDOW // 20):
            watched.poison()
        watched.good(SHARE_WINDOW)
