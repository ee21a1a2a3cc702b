"""What is made of measurements: pairs, ratios, verdicts, pages."""

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roas_bench.cli import app
from roas_bench.cpu import measured
from roas_bench.different import DifferentResultsError
from roas_bench.profile import parse_samples
from roas_bench.ratios import alternating, ratio
from roas_bench.report import Figure, Goal, Report
from roas_bench.stream import require_equal
from roas_contracts.errors import MisconfigurationError

WINDOW = ("1m", 60_000, "total", "all")


def test_a_ratio_is_the_median_of_pairs_not_the_quotient_of_medians() -> None:
    measured_ratio = ratio([10.0, 40.0, 30.0], [5.0, 10.0, 10.0])

    assert measured_ratio.values == (2.0, 4.0, 3.0)
    assert measured_ratio.median == 3.0
    assert str(measured_ratio) == "3.00 (2.00–4.00)"


def test_runs_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="nothing was measured"):
        ratio([], [])


def test_who_goes_first_takes_turns() -> None:
    assert alternating(3) == [(0, 1), (1, 0), (0, 1)]


def test_equal_sums_of_all_events_are_accepted() -> None:
    sums = {WINDOW: [3, 1, 0, 50, 0]}
    require_equal(sums, {WINDOW: [3, 1, 0, 50, 0]}, events=4)


@pytest.mark.parametrize(
    "theirs",
    [{WINDOW: [3, 1, 0, 51, 0]}, {}, {WINDOW: [3, 1, 0, 50, 0], ("5m", 0, "a", "b"): [0] * 5}],
    ids=["another sum", "a window less", "a window more"],
)
def test_any_difference_ends_the_comparison_and_is_named(
    theirs: dict[tuple[str, int, str, str], list[int]],
) -> None:
    with pytest.raises(DifferentResultsError, match="by ctr-stream, .* by SQL"):
        require_equal({WINDOW: [3, 1, 0, 50, 0]}, theirs, events=4)


def test_two_jobs_that_lose_the_same_event_are_noticed() -> None:
    sums = {WINDOW: [3, 1, 0, 50, 0]}
    with pytest.raises(DifferentResultsError, match="4 events are counted, 5 were sent"):
        require_equal(sums, sums, events=5)


def test_a_report_says_which_goal_was_missed() -> None:
    report = Report(
        "x",
        "Benchmark: x",
        "./roas bench x",
        [Figure("speed", "1.5", Goal("at least 2", reached=False)), Figure("size", "3")],
    )

    assert not report.reached
    assert "| speed | 1.5 | at least 2: **not reached** |" in report.as_markdown()
    assert "| size | 3 | |" in report.as_markdown()
    assert json.loads(report.as_json())["figures"][0]["reached"] is False


def test_cpu_time_counts_work_and_not_waiting() -> None:
    with measured(os.getpid()) as waiting:
        time.sleep(0.2)
    with measured(os.getpid()) as working:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass

    assert working.cpu_seconds >= 0.15
    assert waiting.cpu_seconds < working.cpu_seconds
    assert working.peak_bytes > 0


def test_stacks_are_read_from_the_flight_recorder_without_line_numbers() -> None:
    text = """\
jdk.ExecutionSample {
  startTime = 03:47:12.207
  stackTrace = [
    java.util.HashMap.getNode(Object) line: 568
    a.b.C.add(AdRecord) line: 12
    ...
  ]
}
jdk.ExecutionSample {
  stackTrace = [
    a.b.D.run() line: 1
  ]
}
"""
    assert parse_samples(text) == [["java.util.HashMap.getNode", "a.b.C.add"], ["a.b.D.run"]]


def test_the_page_makes_its_folder(tmp_path: Path) -> None:
    report = Report("x", "X", "./roas bench x", [Figure("size", "3")])
    report.write(tmp_path / "reports" / "today" / "x.md")
    assert "| size | 3 | |" in (tmp_path / "reports" / "today" / "x.md").read_text()


def test_a_page_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MisconfigurationError, match=r"file/x\.md can't be written"):
        Report("x", "X", "./roas bench x").write(tmp_path / "file" / "x.md")


@pytest.mark.parametrize(("reached", "code"), [(True, 0), (False, 1)])
def test_a_benchmark_is_a_command_with_a_page_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reached: bool, code: int
) -> None:
    asked: list[tuple[int, int]] = []

    def measure(rows: int, repeats: int) -> Report:
        asked.append((rows, repeats))
        return Report("poison", "X", "./roas bench poison", [Figure("f", "1", Goal("g", reached))])

    monkeypatch.setattr("roas_bench.poison.poison", measure)
    page = tmp_path / "new" / "poison.md"
    done = CliRunner().invoke(
        app, ["poison", "--rows", "2000", "--repeats", "1", "--json", "--report", str(page)]
    )
    assert done.exit_code == code
    assert json.loads(done.stdout)["reached"] is reached
    assert asked == [(2000, 1)]
    assert page.read_text().startswith("# X")
