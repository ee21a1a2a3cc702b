"""A replay that is killed -9 at any moment and gone on with sends each record once, says Kafka.

`ROAS_DLQ_KILLS=100` makes it a hundred kills, `ROAS_DLQ_SEED` another hundred.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter

import pytest
from dlq_stack import WAIT_SECONDS, DlqStack, letter

from roas_contracts.events import AD_CLICKS, DEAD_LETTER_ACTIONS

KILLS = int(os.environ.get("ROAS_DLQ_KILLS", "5"))
SEED = int(os.environ.get("ROAS_DLQ_SEED", "1"))
LETTERS_PER_KILL = 300

pytestmark = pytest.mark.timeout(600 + 60 * KILLS)


def kill_some_time(stack: DlqStack, process: subprocess.Popen[str], chance: random.Random) -> int:
    """Kill -9 after a random time, or after a random number of records; its exit code."""
    audit = (DEAD_LETTER_ACTIONS, 0)
    if chance.random() < 0.3:
        ends_at = time.monotonic() + chance.uniform(0, 3)
        while process.poll() is None and time.monotonic() < ends_at:
            time.sleep(0.005)
    else:
        wanted = stack.ends()[audit] + chance.randrange(1, LETTERS_PER_KILL // 2)
        deadline = time.monotonic() + WAIT_SECONDS
        while process.poll() is None and stack.ends()[audit] < wanted:
            assert time.monotonic() < deadline
            time.sleep(chance.uniform(0, 0.02))
    process.kill()
    process.communicate(timeout=WAIT_SECONDS)
    return process.returncode


def test_each_record_is_sent_once_however_often_the_replay_is_killed(stack: DlqStack) -> None:
    chance = random.Random(SEED)
    letters = [letter(number) for number in range(LETTERS_PER_KILL * KILLS)]
    stack.send(letters)
    stack.service()
    stack.wait_until_stored(len(letters))

    killed = 0
    while killed < KILLS:
        unfinished = stack.query(
            "SELECT operation_id FROM errors.operations WHERE status <> 'finished' "
            "ORDER BY started_at DESC LIMIT 1"
        )
        verb = ["replay", "--yes", "--rate", "800"]
        if unfinished and chance.random() < 0.7:
            verb = ["resume", str(unfinished[0][0])]
        if kill_some_time(stack, stack.start(*verb), chance) != -9:
            break  # It was done before it was killed: nothing is left to kill.
        killed += 1
    assert killed >= KILLS // 2, "there was nothing left to kill"
    done = stack.dlq("replay", "--yes", "--rate", "20000")
    assert done.returncode in (0, 1), done.stderr

    once = Counter({one.dead_letter_id: 1 for one in letters})
    assert stack.replays(AD_CLICKS) == once
    audited = Counter((one.key or b"").decode() for one in stack.committed(DEAD_LETTER_ACTIONS))
    assert audited == once
    stack.wait_until_states(replayed=len(letters))
    print(f"killed {killed} times, {len(letters)} records, each sent once")
