"""How long after its impression a click happens.

Avazu says whether an impression was clicked, not when. The delay is drawn from the impression's
id: one second, plus an exponential time with a mean of 45 seconds, capped at 30 minutes:

    delay_ms = min(1_800_000, 1_000 + floor(45_000 * -ln((w + 1) / 2**64)))

where ``w`` is the impression's click word (:mod:`roas_producer.draws`).
"""

from __future__ import annotations

from math import log

from roas_producer.draws import unit

MIN_DELAY_MS = 1_000
MEAN_EXTRA_MS = 45_000
MAX_DELAY_MS = 1_800_000


def click_delay_ms(word: int) -> int:
    """Milliseconds between impression and click, ``MIN_DELAY_MS`` to ``MAX_DELAY_MS``."""
    return min(MAX_DELAY_MS, MIN_DELAY_MS + int(MEAN_EXTRA_MS * -log(unit(word))))
