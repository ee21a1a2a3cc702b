"""Many dead letters are stored, listed, summarised and replayed at the rate that was asked for.

With `-s`, `ROAS_DLQ_LETTERS=1000000 ROAS_DLQ_RATE=20000 ROAS_DLQ_WAIT_SECONDS=1800` measures what a
million take.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from typing import Any

import psutil
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

pytestmark = pytest.mark.timeout(7200)

FILTERS: dict[str, tuple[str, ...]] = {
    "no filter": (),
    "--reason": ("--reason", "FOREIGN_CURRENCY"),
    "--reason, none": ("--reason", "UNKNOWN_SCHEMA_ID"),
    "--topic": ("--topic", AD_CLICKS),
    "--topic, none": ("--topic", "ad-impressions"),
    "--origin, none": ("--origin", "FILE"),
    "--group, none": ("--group", "batch"),
    "--service, none": ("--service", "batch"),
    "--since": ("--since", "2026-01-01T00:00:05"),
    "--until": ("--until", "2026-01-01T00:00:05"),
    "--key": ("--key", f"key-{LETTERS // 2}"),
    "--text": ("--text", f"number {LETTERS - 1}"),
    "--text, none": ("--text", "nobody wrote this"),
    "--id": ("--id", letter(LETTERS // 2).dead_letter_id[:12]),
    "--operation, none": ("--operation", "replay-1"),
    "--state all": ("--state", "all"),
    "--state, none": ("--state", "replayed"),
}
ONE = ("--key", "--text", "--id")


def timed(what: str, stack: DlqStack, *arguments: str, code: int = 0) -> Any:
    began = time.monotonic()
    done = stack.answer(*arguments, code=code)
    print(f"{what}: {time.monotonic() - began:.2f} s")
    return done


class Memory:
    """What a process holds, megabytes, looked at while it works."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.seen: list[float] = []

    def look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.seen.append(self._process.memory_info().rss / 1e6)

    def growth(self) -> float:
        """From the first quarter's most to that of all, megabytes."""
        return max(self.seen) - max(self.seen[: max(1, len(self.seen) // 4)])

    def __str__(self) -> str:
        quarter = max(self.seen[: max(1, len(self.seen) // 4)])
        return f"{quarter:.0f} MB in the first quarter, {max(self.seen):.0f} MB at most"


def test_many_are_stored_listed_summarised_and_replayed(stack: DlqStack) -> None:
    service = stack.service()
    service.wait_until_ready()
    of_service = Memory(service.pid)
    began = time.monotonic()
    for start in range(0, LETTERS, 10_000):
        stack.send(
            [
                letter(number, reason=REASONS[number % 3], value=b"\0" * 150 + b"%d" % number)
                for number in range(start, min(start + 10_000, LETTERS))
            ]
        )
        of_service.look()

    def stored() -> bool:
        of_service.look()
        return stack.stored() >= LETTERS

    wait_until("all are stored", stored)
    seconds = time.monotonic() - began
    print(f"{LETTERS} written and stored: {seconds:.1f} s, {LETTERS / seconds:,.0f} a second")
    print(f"the service: {of_service}")

    for name, options in FILTERS.items():
        nothing = name.endswith("none")
        found = timed(f"ls, {name}", stack, "ls", *options, code=1 if nothing else 0)
        assert len(found) == (0 if nothing else 1 if name in ONE else 20), name
    for options in ((), FILTERS["--reason"], FILTERS["--since"]):
        bars = timed(f"stats {' '.join(options)}", stack, "stats", "--by", "minute", *options)
    bars = timed("stats", stack, "stats", "--by", "minute")
    assert {b["value"]: b["count"] for b in bars if b["dimension"] == "all"} == {"all": LETTERS}
    by_reason = sum(b["count"] for b in bars if b["dimension"] == "reason")
    assert by_reason == LETTERS
    timed("show", stack, "show", letter(LETTERS // 2).dead_letter_id[:12])
    assert timed("replay, dry run", stack, "replay")["selected"] == LETTERS

    began = time.monotonic()
    process = stack.start("replay", "--yes", "--rate", str(RATE), "--json")
    of_replay = Memory(process.pid)
    while process.poll() is None:
        of_replay.look()
        of_service.look()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    seconds = time.monotonic() - began
    done = json.loads(out)["done"]
    print(f"replay: {seconds:.1f} s, {done / seconds:,.0f} a second, {RATE:,} were allowed")
    print(f"the replay: {of_replay}; the service: {of_service}")
    assert done == LETTERS
    assert seconds >= LETTERS / RATE * 0.9
    assert of_replay.growth() < 50
    assert of_service.growth() < 100
    sent = stack.replays(AD_CLICKS)
    assert len(sent) == LETTERS
    assert set(sent.values()) == {1}
    began = time.monotonic()
    wait_until("all are replayed", lambda: stack.states() == {"replayed": LETTERS}, 1_800)
    print(f"states after the replay: {time.monotonic() - began:.1f} s")
    timed("ls, nothing is left", stack, "ls", code=1)
    timed("ls --state replayed", stack, "ls", "--state", "replayed")
    (row,) = timed("audit", stack, "audit")
    assert row["done"] == LETTERS
