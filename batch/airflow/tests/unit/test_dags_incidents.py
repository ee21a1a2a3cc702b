"""What a run tells people."""

from roas_dags.incidents import TASK_FAILED, Ended, Finding, of_run, parse_states

FAILED = Ended("rebuild", 3, "failed", (Finding("no", "2014-10-21", {"why": "a corrupt file"}),))


def test_a_failed_task_is_told_in_its_own_words_and_with_the_run() -> None:
    assert of_run("run 1", [FAILED]) == [
        ("rebuild", Finding("no", "2014-10-21", {"why": "a corrupt file", "run_id": "run 1"}))
    ]


def test_a_task_that_was_killed_without_a_word_is_told_too() -> None:
    ((task, finding),) = of_run("run 1", [Ended("archive", 2, "failed")])
    assert (task, finding.kind, finding.subject) == ("archive", TASK_FAILED, "archive[2]")


def test_a_finding_of_a_task_that_succeeded_is_told() -> None:
    lost = Finding("lost_records", "ad-clicks[0] 0-10")
    assert [task for task, _ in of_run("run 1", [Ended("plan", -1, "success", (lost,))])] == [
        "plan"
    ]


def test_what_was_only_not_reached_is_not_told() -> None:
    states = ("success", "skipped", "upstream_failed", "removed")
    assert of_run("run 1", [Ended("build", -1, state) for state in states]) == []


def test_states_are_told_apart_by_map_index() -> None:
    states = {"plan": "success", "rebuild_0": "success", "rebuild_12": "failed", "name_days": None}
    assert parse_states(states) == [
        ("name_days", -1, "None"),
        ("plan", -1, "success"),
        ("rebuild", 0, "success"),
        ("rebuild", 12, "failed"),
    ]
