"""From a seed to the kills of a run: pure, so that the same seed is the same plan anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar


class Target(StrEnum):
    """What is killed: a process of the stack by its name in `./roas status`, or the producer."""

    PRODUCER = "producer"
    TASKMANAGER = "taskmanager"
    JOBMANAGER = "jobmanager"
    CTR_STREAM = "ctr-stream"
    CACHE_WRITER = "cache-writer"
    KAFKA = "kafka"
    REGISTRY = "registry"
    POSTGRES = "postgres"
    REDIS = "redis"


class Aim(StrEnum):
    """What has to be under way at the moment of a kill."""

    ANY = "any moment"
    EVENTS = "the producer's transaction"
    METRICS = "the job's transactions"
    CHECKPOINT = "a checkpoint"
    WRITE = "the cache writer's transaction"


AIMS: Final[dict[Target, tuple[Aim, ...]]] = {
    Target.PRODUCER: (Aim.EVENTS,),
    Target.TASKMANAGER: (Aim.METRICS, Aim.CHECKPOINT),
    Target.JOBMANAGER: (Aim.METRICS, Aim.CHECKPOINT),
    Target.CTR_STREAM: (Aim.CHECKPOINT,),
    Target.CACHE_WRITER: (Aim.WRITE,),
    Target.KAFKA: (Aim.EVENTS, Aim.METRICS, Aim.CHECKPOINT),
    Target.REGISTRY: (),
    Target.POSTGRES: (Aim.WRITE,),
    Target.REDIS: (Aim.WRITE,),
}
"""Inside of what a target may be killed, besides at any moment."""

_LONGEST_PAUSE_S: Final = 6.0
_RECOVERED_FIRST: Final = 0.7
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill -9 of a plan."""

    number: int
    """From 1."""
    target: Target
    aim: Aim
    recovered_first: bool
    """Whether the kills before it have been recovered from, or this one comes on top of them."""
    pause_seconds: float
    """How long after that, or after the kill before it."""


def plan(kills: int, seed: int) -> list[Kill]:
    """The kills of a run.

    Every target is killed once before any is killed a second time, and with every aim of its own
    before one is repeated. What has to be hit in mid-work needs a pipeline that works: only a kill
    at any moment comes on top of another one.

    Args:
        kills: how many.
        seed: another seed gives another order, other aims and other pauses.
    """
    chance = random.Random(seed)
    targets = _bags(list(Target), chance)
    aims = {target: _bags([Aim.ANY, *AIMS[target]], chance) for target in Target}
    return [
        _kill(number, target, next(aims[target]), chance)
        for number, target in enumerate(islice(targets, kills), start=1)
    ]


def _kill(number: int, target: Target, aim: Aim, chance: random.Random) -> Kill:
    on_top = number > 1 and aim is Aim.ANY and chance.random() > _RECOVERED_FIRST
    pause = round(chance.uniform(0.2, _LONGEST_PAUSE_S), 2)
    return Kill(number, target, aim, not on_top, pause)


def _bags(things: Sequence[_T], chance: random.Random) -> Iterator[_T]:
    """All things in a random order, and again, without an end."""
    while True:
        yield from chance.sample(things, len(things))
