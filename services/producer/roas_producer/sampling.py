"""Which rows are taken: a share of them by the hash of the id, the same ones in every run."""

from __future__ import annotations

import re
from hashlib import blake2b

from roas_contracts.errors import MisconfigurationError
from roas_producer.draws import WORDS

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")


def parse_share(text: str) -> float:
    """``1%`` or ``0.01`` as a share, above 0 and at most 1.

    Raises:
        MisconfigurationError: it is neither.
    """
    match = _SHARE.fullmatch(text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share <= 1:
        raise MisconfigurationError(
            f"--sample {text!r} is not a share: write 1% or 0.01 (above 0, at most 100%)"
        )
    return share


def raw_word(raw: bytes) -> int:
    """The sample word of a row that has no usable id: from its bytes."""
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big")


def taken_below(share: float) -> int:
    """The bound: a row is taken where its sample word is below it."""
    return WORDS if share >= 1 else round(share * WORDS)
