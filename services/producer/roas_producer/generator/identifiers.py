"""Identifiers out of numbers: bijections, so that uniqueness needs no memory."""

from __future__ import annotations

import numpy as np

from roas_producer.generator.arrays import Words

_HOUR_SHIFT = 38
"""A row's number is its hour since the epoch (26 bits reach the year 9625) and its place there."""

MAX_ROWS_PER_HOUR = 1 << _HOUR_SHIFT
"""Above this, ids of one hour would run into those of the next."""


def impression_ids(seed: int, hour: int, first: int, count: int) -> list[str]:
    """Return ids of `count` rows of an hour, from its `first` row on, as unsigned 64-bit decimals.

    `hour` counts hours since the epoch. Two different (hour, row) pairs never share an id under one
    seed: the row's number goes through a permutation of the 64-bit numbers that the seed chooses.
    """
    numbers = np.arange(first, first + count, dtype=np.uint64)
    numbers += np.uint64(hour << _HOUR_SHIFT)
    key = scramble64(np.array([seed & 0xFFFF_FFFF_FFFF_FFFF], dtype=np.uint64))
    ids = scramble64(scramble64(numbers) ^ key)
    return list(map(str, ids.tolist()))


def scramble64(numbers: Words) -> Words:
    """Permute the 64-bit numbers (splitmix64's finalizer: every step can be undone)."""
    z = numbers + np.uint64(0x9E37_79B9_7F4A_7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def scramble32(numbers: Words) -> Words:
    """Permute the 32-bit numbers (murmur3's finalizer), carried in 64-bit words."""
    low = np.uint64(0xFFFF_FFFF)
    h = numbers & low
    h = (h ^ (h >> np.uint64(16))) * np.uint64(0x85EB_CA6B) & low
    h = (h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2_AE35) & low
    return np.asarray(h ^ (h >> np.uint64(16)), dtype=np.uint64)


def hex8(numbers: Words) -> list[str]:
    """Return 32-bit numbers as eight hexadecimal digits each."""
    text = numbers.astype(">u4").tobytes().hex()
    return [text[at : at + 8] for at in range(0, len(text), 8)]
