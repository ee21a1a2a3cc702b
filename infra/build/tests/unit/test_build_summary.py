"""The last line and the exit code say what happened in all steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_build.pipeline import Outcome, summarize
from roas_build.reports import Totals

LINT_OK = Outcome("lint", 0, 3.2, Totals())
TESTS_OK = Outcome("unit tests", 0, 61.0, Totals(passed=40, skipped=2))


def last_line(captured: pytest.CaptureFixture[str]) -> str:
    return captured.readouterr().out.splitlines()[-1]


def test_all_passed(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarize([LINT_OK, TESTS_OK]) == 0
    assert last_line(capsys) == "40 passed, 0 failed, 2 skipped"


def test_a_failed_step_without_cases_is_one_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarize([Outcome("lint", 1, 3.2, Totals()), TESTS_OK]) == 1
    assert last_line(capsys) == "40 passed, 1 failed, 2 skipped"


def test_failed_cases_are_counted_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Outcome("integration tests", 1, 9.0, Totals(passed=5, failed=3))
    assert summarize([LINT_OK, TESTS_OK, failed]) == 1
    assert last_line(capsys) == "45 passed, 3 failed, 2 skipped"


def test_failed_cases_fail_a_step_that_claims_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarize([Outcome("unit tests", 0, 1.0, Totals(failed=1))]) == 1
    assert last_line(capsys) == "0 passed, 1 failed, 0 skipped"


counts = st.integers(0, 1000)
totals = st.builds(Totals, counts, counts, counts)


@given(totals, totals)
def test_what_a_step_added_is_the_difference(before: Totals, added: Totals) -> None:
    assert (before + added) - before == added
