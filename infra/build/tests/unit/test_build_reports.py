"""The summary line counts what pytest really wrote."""

import subprocess
import sys
from pathlib import Path

from roas_build.reports import Totals, read

TESTS = """
import pytest

def test_passes(): pass
def test_passes_too(): pass
def test_fails(): assert False
@pytest.mark.skip(reason="for the count")
def test_skipped(): pass
@pytest.fixture
def broken(): raise RuntimeError
def test_error_in_a_fixture(broken): pass
"""


def run_pytest(folder: Path, reports: Path) -> None:
    (folder / "test_sample.py").write_text(TESTS, "utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-c", "/dev/null", f"--rootdir={folder}", f"--junit-xml={reports / 'sample.xml'}"),
            str(folder),
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_cases_of_a_real_report_are_counted(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run_pytest(tmp_path, reports)
    assert read(reports) == Totals(passed=2, failed=2, skipped=1)


def test_reports_are_summed(tmp_path: Path) -> None:
    report = '<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>'
    for name in ("one.xml", "two.xml"):
        (tmp_path / name).write_text(report, "utf-8")
    assert str(read(tmp_path)) == "2 passed, 0 failed, 0 skipped"


def test_a_report_cut_short_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text("<testsuites><testsuite><testcase", "utf-8")
    assert read(tmp_path) == Totals(failed=1)


def test_no_folder_means_no_tests(tmp_path: Path) -> None:
    assert read(tmp_path / "missing") == Totals()
