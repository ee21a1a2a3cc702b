"""Many dead letters are stored, listed, summarised and replayed at the rate that was asked for.

With `-s`, `ROAS_DLQ_LETTERS=1000000 ROAS_DLQ_RATE=20000 ROAS_DLQ_WAIT_SECONDS=1800` measures what a
million take.
"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from dlq_stack import DlqStack, letter, wait_until

from roas_contracts.events import AD_CLICKS, DeadLetterReason

LETTERS = int(os.environ.get("ROAS_DLQ_LETTERS", "10000"))
RATE = int(os.environ.get("ROAS_DLQ_RATE", "2500"))
REASONS = (
    DeadLetterReason.UNDECODABLE,
    DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS,
    DeadLetterReason.FOREIGN_CURRENCY,
)

pytestmark = pytest.mark.timeout(3600)


def timed(what: str, stack: DlqStack, *arguments: str) -> Any:
    began = time.monotonic()
    done = stack.answer(*arguments)
    print(f"{what}: {time.monotonic() - began:.2f} s")
    return done


def test_many_are_stored_listed_summarised_and_replayed(stack: DlqStack) -> None:
    service = stack.service()
    service.wait_until_ready()
    began = time.monotonic()
    for start in range(0, LETTERS, 10_000):
        stack.send(
            [
                letter(number, reason=REASONS[number % 3], value=b"\0" * 150 + b"%d" % number)
                for number in range(start, min(start + 10_000, LETTERS))
            ]
        )
    stack.wait_until_stored(LETTERS)
    print(f"{LETTERS} written and stored: {time.monotonic() - began:.1f} s")

    assert len(timed("ls", stack, "ls")) == 20
    found = timed("ls --key", stack, "ls", "--key", f"key-{LETTERS // 2}")
    assert len(found) == 1
    assert len(timed("ls --text", stack, "ls", "--text", f"number {LETTERS - 1}")) == 1
    bars = timed("stats", stack, "stats", "--by", "minute")
    assert {b["value"]: b["count"] for b in bars if b["dimension"] == "all"} == {"all": LETTERS}
    by_reason = sum(b["count"] for b in bars if b["dimension"] == "reason")
    assert by_reason == LETTERS
    assert timed("replay, dry run", stack, "replay")["selected"] == LETTERS

    began = time.monotonic()
    result = timed("replay", stack, "replay", "--yes", "--rate", str(RATE))
    seconds = time.monotonic() - began
    print(f"{result['done'] / seconds:,.0f} a second, {RATE:,} were allowed")
    assert result["done"] == LETTERS
    assert seconds >= LETTERS / RATE * 0.9
    sent = stack.replays(AD_CLICKS)
    assert len(sent) == LETTERS
    assert set(sent.values()) == {1}
    began = time.monotonic()
    wait_until("all are replayed", lambda: stack.states() == {"replayed": LETTERS}, 1_800)
    print(f"states after the replay: {time.monotonic() - began:.1f} s")
