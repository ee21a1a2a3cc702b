"""The plan: a function of the seed, and every target has its turn."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from roas_chaos.plan import AIMS, Aim, Target, plan

SEEDS = st.integers(0, 10**9)


@given(SEEDS, st.integers(1, 60))
def test_the_same_seed_is_the_same_plan_and_a_longer_one_begins_with_it(
    seed: int, kills: int
) -> None:
    assert plan(kills, seed) == plan(kills, seed)
    assert plan(kills + 20, seed)[:kills] == plan(kills, seed)


def test_another_seed_is_another_plan() -> None:
    assert plan(9, 1) != plan(9, 2)


@given(SEEDS)
def test_every_target_is_killed_before_any_is_killed_again(seed: int) -> None:
    targets = [kill.target for kill in plan(3 * len(Target), seed)]
    for start in range(0, len(targets), len(Target)):
        assert set(targets[start : start + len(Target)]) == set(Target)


@given(SEEDS)
def test_every_target_is_killed_with_each_of_its_aims(seed: int) -> None:
    longest = 1 + max(len(aims) for aims in AIMS.values())
    done = Counter((kill.target, kill.aim) for kill in plan(longest * len(Target), seed))
    for target, aims in AIMS.items():
        assert all(done[target, aim] >= 1 for aim in (Aim.ANY, *aims))


@given(SEEDS)
def test_a_kill_with_an_aim_waits_for_a_pipeline_that_works(seed: int) -> None:
    kills = plan(60, seed)
    assert kills[0].recovered_first
    assert all(kill.recovered_first for kill in kills if kill.aim is not Aim.ANY)
    assert [kill.number for kill in kills] == list(range(1, 61))
