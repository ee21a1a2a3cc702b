"""What a tool's end means for its task: done, try again later, or give up.

Exit codes are those of every command line here: 0 fine, 1 the answer is no, 2 wrong usage or
setting, 3 something needed does not answer. Only what time can mend is tried again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from roas_dags.commands import Command
from roas_dags.tool import Finished

_OK: Final = 0
_NO: Final = 1
_UNAVAILABLE: Final = 3


class Next(Enum):
    """What the task does now."""

    GO_ON = "go on"
    RETRY = "retry"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, for the task and for whoever is told of a failure.

    `kind` is a word for the kind of failure, empty if there is none. `answer` is the tool's JSON
    object; a command whose answer is "no" has one, too.
    """

    next: Next
    kind: str
    sentence: str
    exit_code: int
    answer: dict[str, Any]


def judge(command: Command, finished: Finished, timeout_seconds: float) -> Outcome:
    """Decide what follows from how a command ended."""
    answer = _answer(finished.stdout)
    code = finished.exit_code

    def outcome(next_: Next, kind: str, why: str) -> Outcome:
        return Outcome(next_, kind, f"`{command}` {why}" if why else "", code, answer or {})

    said = _said(finished)
    if finished.timed_out:
        return outcome(Next.RETRY, "timeout", f"took longer than {timeout_seconds:.0f} s")
    if code == _OK and answer is None:
        return outcome(Next.GIVE_UP, "defect", "did not answer with a JSON object")
    if code == _OK:
        return outcome(Next.GO_ON, "", "")
    if code == _UNAVAILABLE:
        return outcome(Next.RETRY, "unavailable", f"needs what does not answer: {said}")
    if code < 0:
        return outcome(Next.RETRY, "killed", f"was ended by signal {-code}")
    if code == _NO:
        return outcome(Next.GIVE_UP, "no", f"says no: {said}")
    return outcome(Next.GIVE_UP, "failed", f"failed with exit code {code}: {said}")


def _answer(stdout: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(stdout)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _said(finished: Finished) -> str:
    """The last thing it told a person."""
    lines = [line for line in finished.tail if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "it said nothing"
