"""What a tool's end means for its task."""

import pytest

from roas_dags.commands import Command
from roas_dags.outcome import Next, judge
from roas_dags.tool import Finished

REBUILD = Command("batch", ("python", "-m", "roas_batch"), ("rebuild", "--day", "2014-10-21"))


def finished(
    code: int, stdout: str = '{"rows": 3}', *tail: str, timed_out: bool = False
) -> Finished:
    return Finished(code, stdout, tail, timed_out)


def test_success_goes_on_with_the_answer() -> None:
    outcome = judge(REBUILD, finished(0), 60)
    assert (outcome.next, outcome.answer, outcome.sentence) == (Next.GO_ON, {"rows": 3}, "")


@pytest.mark.parametrize("code", [1, 2, 70, 126, 127, 130])
def test_what_time_does_not_mend_is_not_tried_again(code: int) -> None:
    assert judge(REBUILD, finished(code), 60).next is Next.GIVE_UP


def test_what_does_not_answer_is_tried_again_and_named() -> None:
    outcome = judge(REBUILD, finished(3, "", "50 %", "Error: PostgreSQL does not answer", ""), 60)
    assert (outcome.next, outcome.kind) == (Next.RETRY, "unavailable")
    assert outcome.sentence == (
        "`./roas batch rebuild --day 2014-10-21` needs what does not answer: "
        "PostgreSQL does not answer"
    )


def test_a_killed_tool_is_tried_again() -> None:
    outcome = judge(REBUILD, finished(-9, ""), 60)
    assert (outcome.next, outcome.kind, outcome.exit_code) == (Next.RETRY, "killed", -9)


def test_a_tool_that_was_too_slow_is_tried_again_whatever_its_exit_code() -> None:
    outcome = judge(REBUILD, finished(0, timed_out=True), 60)
    assert (outcome.next, outcome.kind) == (Next.RETRY, "timeout")
    assert "longer than 60 s" in outcome.sentence


def test_a_no_keeps_its_answer() -> None:
    outcome = judge(REBUILD, finished(1, '{"lost": [1]}', "Error: records are lost"), 60)
    assert (outcome.kind, outcome.answer) == ("no", {"lost": [1]})


@pytest.mark.parametrize("stdout", ["", "done\n", "[1]", '{"rows": '])
def test_success_without_an_answer_is_a_defect(stdout: str) -> None:
    outcome = judge(REBUILD, finished(0, stdout), 60)
    assert (outcome.next, outcome.kind) == (Next.GIVE_UP, "defect")
