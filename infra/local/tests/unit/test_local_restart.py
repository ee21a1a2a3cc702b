"""When a process that ended is started again."""

from hypothesis import given
from hypothesis import strategies as st

from roas_local.restart import (
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    STABLE_AFTER_S,
    RestartHistory,
)

short_runs = st.lists(
    st.floats(min_value=0, max_value=STABLE_AFTER_S, exclude_max=True), min_size=1, max_size=100
)


def after(runs: list[float]) -> RestartHistory:
    history = RestartHistory()
    for seconds in runs:
        history = history.after_end(seconds)
    return history


def test_the_first_start_does_not_wait() -> None:
    assert RestartHistory().delay_s == 0.0


def test_the_delay_doubles() -> None:
    delays = [after([0.0] * ends).delay_s for ends in range(1, 5)]
    assert delays == [FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S, 8 * FIRST_DELAY_S]


@given(short_runs)
def test_the_delay_is_bounded_and_never_shrinks(runs: list[float]) -> None:
    history = after(runs)
    assert FIRST_DELAY_S <= history.delay_s <= LONGEST_DELAY_S
    assert history.after_end(0.0).delay_s >= history.delay_s


@given(short_runs)
def test_a_long_run_is_forgiven_but_counted(runs: list[float]) -> None:
    history = after(runs).after_end(STABLE_AFTER_S)
    assert history.delay_s == FIRST_DELAY_S
    assert history.total == len(runs) + 1
