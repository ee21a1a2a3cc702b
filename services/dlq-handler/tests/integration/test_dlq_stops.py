"""A change that is stopped in the middle says how to go on, and then sends each record once."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import Counter

import pytest
from dlq_stack import WAIT_SECONDS, DlqStack, letter, wait_until

from roas_contracts import exit_codes
from roas_contracts.events import DEAD_LETTER_ACTIONS

LETTERS = 1_500
SLOWLY = ("replay", "--yes", "--rate", "8")
"""It would take minutes: nothing of this test comes too late, however slow the machine is."""


@pytest.fixture()
def begun(stack: DlqStack) -> DlqStack:
    """Letters enough to be stopped in the middle."""
    stack.send([letter(number) for number in range(LETTERS)])
    stack.service()
    stack.wait_until_stored(LETTERS)
    return stack


def started(stack: DlqStack) -> tuple[subprocess.Popen[str], str]:
    """A slow replay that has sent something, and its operation's id."""
    before = stack.ends()[DEAD_LETTER_ACTIONS, 0]
    process = stack.start(*SLOWLY)
    wait_until("it has sent something", lambda: stack.ends()[DEAD_LETTER_ACTIONS, 0] > before)
    ((operation_id,),) = stack.query(
        "SELECT operation_id FROM errors.operations WHERE status = 'running'"
    )
    return process, str(operation_id)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, out, err


def test_stopped_in_the_middle_by_a_person_by_another_or_by_postgres_it_goes_on(
    begun: DlqStack,
) -> None:
    process, operation_id = started(begun)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == exit_codes.INTERRUPTED, err
    assert f"{operation_id} stopped: " in out
    assert f"resume {operation_id}`" in err
    (row,) = begun.answer("audit")
    assert row["status"] == "stopped"

    # Another one begins anew instead of going on, and is cancelled from elsewhere.
    process, operation_id = started(begun)
    second = begun.dlq("replay", "--yes")
    assert second.returncode == exit_codes.NO
    assert f"cancel {operation_id}`" in second.stderr
    assert begun.dlq("cancel", operation_id).returncode == exit_codes.OK
    code, out, err = ended(process)
    assert code == exit_codes.NO, err
    assert f"{operation_id} cancelled: " in out
    assert f"resume {operation_id}`" in err

    # It goes on, and its connection to PostgreSQL is cut.
    process = begun.start("resume", operation_id)
    before = begun.ends()[DEAD_LETTER_ACTIONS, 0]
    wait_until("it goes on", lambda: begun.ends()[DEAD_LETTER_ACTIONS, 0] > before)
    begun.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'roas-dlq'"
    )
    code, out, err = ended(process)
    assert (code, out) == (exit_codes.UNAVAILABLE, ""), err
    assert err.count("\n") == 1
    assert re.search(rf"PostgreSQL does not answer.*resume {operation_id}`", err)

    # The same command again does what `resume` would, and may be faster than the first was.
    done = begun.answer("replay", "--yes", "--rate", "20000")
    assert done["status"] == "finished"
    assert begun.replays() == Counter({letter(n).dead_letter_id: 1 for n in range(LETTERS)})
    begun.wait_until_states(replayed=LETTERS)
    left = begun.answer("resume", operation_id)
    assert (left["status"], left["done"]) == ("finished", 0)
    finished = begun.dlq("resume", operation_id)
    assert finished.returncode == exit_codes.OK
    assert "has finished: nothing to do" in finished.stderr
