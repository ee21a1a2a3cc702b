"""The dice of one impression: thrown by its id, so that every run throws the same.

``BLAKE2b(id as UTF-8, digest_size=40, person=b"roas-producer-1")`` is cut into five unsigned
64-bit big-endian words, one for each decision.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import NamedTuple

WORDS = 1 << 64
"""How many values a word can take."""

_FIVE_WORDS = struct.Struct(">5Q")
_DICE = blake2b(digest_size=40, person=b"roas-producer-1")


class Draws(NamedTuple):
    """Five independent uniform words, each in ``[0, WORDS)``."""

    sample: int
    click_delay: int
    converts: int
    conversion_delay: int
    order_value: int


def draws(impression_id: str) -> Draws:
    """The words of one impression."""
    return Draws._make(_FIVE_WORDS.unpack(_digest(impression_id)))


def converts_word(impression_id: str) -> int:
    """``draws(impression_id).converts`` alone: most impressions need no other."""
    return int.from_bytes(_digest(impression_id)[16:24], "big")


def _digest(impression_id: str) -> bytes:
    thrown = _DICE.copy()
    thrown.update(impression_id.encode())
    return thrown.digest()


def unit(word: int) -> float:
    """A word as a number in ``(0, 1]``."""
    return (word + 1) / WORDS


def threshold(probability: float) -> int:
    """The bound below which a word falls with ``probability`` (0 to 1)."""
    return round(probability * WORDS)
