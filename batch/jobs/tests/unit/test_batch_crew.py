"""Work on several cores."""

from __future__ import annotations

import os
import signal

import pytest

from roas_batch.crew import in_parallel
from roas_contracts.errors import InputError, TransientError


def double(number: int) -> int:
    return 2 * number


def own_process(_: int) -> int:
    return os.getpid()


def refuse(number: int) -> int:
    if number == 2:
        raise InputError("the second is wrong")
    return number


def die(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_task_is_done_once() -> None:
    assert sorted(in_parallel(double, range(7), 2)) == [0, 2, 4, 6, 8, 10, 12]


def test_one_task_needs_no_other_process() -> None:
    assert list(in_parallel(own_process, [1], 4)) == [os.getpid()]
    assert os.getpid() not in in_parallel(own_process, [1, 2], 2)


def test_an_error_comes_out_as_it_went_in() -> None:
    with pytest.raises(InputError, match="the second is wrong"):
        list(in_parallel(refuse, [1, 2, 3], 2))


def test_a_killed_worker_is_an_outage_and_no_wait_for_ever() -> None:
    with pytest.raises(TransientError, match="was killed"):
        list(in_parallel(die, [1, 2, 3], 2))
