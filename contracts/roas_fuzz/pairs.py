"""Pairs of schema texts; the n-th pair of a seed is always the same."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from roas_fuzz.generator import SchemaMaker
from roas_fuzz.mutations import mutated


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that a parser may be asked to take for schemas."""

    number: int
    one: str
    other: str


def pairs(seed: int, count: int, first: int = 0) -> Iterator[Pair]:
    """`count` pairs, from number `first` on."""
    return (pair(seed, number) for number in range(first, first + count))


def pair(seed: int, number: int) -> Pair:
    """One pair: mostly a schema and a changed copy, which is where the rule has work to do."""
    random = Random(f"{seed}/{number}")
    one = SchemaMaker(random).schema()
    kind = random.random()
    if kind < 0.75:
        other = mutated(one, random)
    elif kind < 0.9:
        one, other = mutated(one, random), mutated(one, random)
    elif kind < 0.95:
        other = one
    else:
        other = SchemaMaker(random).schema()
    return Pair(number, _text(one, random), _text(other, random))


def _text(schema: Any, random: Random) -> str:
    text = json.dumps(schema, ensure_ascii=random.random() < 0.5)
    kind = random.random()
    if kind > 0.02:
        return text
    place = random.randrange(len(text) + 1)
    inserted = random.choice(("/* [ */", "//\n", "//", "\x00", ",", '"', " ", "0", "NaN", "\ufeff"))
    return random.choice(
        (text + inserted, inserted + text, text[:place] + inserted + text[place:], text[:place])
    )
