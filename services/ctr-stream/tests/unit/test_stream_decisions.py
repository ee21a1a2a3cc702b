import pytest

from roas_ctr_stream.cluster import Job
from roas_ctr_stream.decisions import Action, Backoff, decide


def job(job_id: str, state: str) -> Job:
    return Job(job_id, "roas-ctr-stream", state)


@pytest.mark.parametrize(
    ("jobs", "submitted", "action"),
    [
        ([], None, Action.SUBMIT),
        ([], "a", Action.SUBMIT),  # The JobManager was restarted and has forgotten it.
        ([job("a", "RUNNING")], "a", Action.WATCH),
        ([job("a", "RUNNING")], None, Action.WATCH),  # This service was restarted.
        ([job("a", "RESTARTING")], "a", Action.WATCH),
        ([job("a", "FAILING")], "a", Action.WATCH),
        ([job("a", "CANCELLING")], "a", Action.WATCH),
        ([job("a", "FAILED")], "a", Action.SUBMIT),
        ([job("a", "CANCELED")], "a", Action.STAND_BY),
        ([job("a", "FINISHED")], "a", Action.STAND_BY),
        ([job("a", "CANCELED")], None, Action.SUBMIT),  # Of the run before this one.
        ([job("a", "FINISHED"), job("b", "FAILED")], "b", Action.SUBMIT),
        ([job("a", "RUNNING"), job("b", "INITIALIZING")], "a", Action.ALARM),
        ([job("a", "FAILED"), job("b", "RUNNING")], "a", Action.WATCH),
    ],
)
def test_what_is_done_about_the_jobs(jobs: list[Job], submitted: str, action: Action) -> None:
    assert decide(jobs, submitted).action is action


def test_the_decision_names_the_living_job() -> None:
    decision = decide([job("dead", "FAILED"), job("alive", "CREATED")], "dead")
    assert decision.job == job("alive", "CREATED")


def test_the_first_attempt_is_made_at_once_and_later_ones_wait_longer() -> None:
    backoff = Backoff(first_s=1.0, longest_s=5.0)
    assert [backoff.pause() for _ in range(5)] == [0.0, 1.0, 2.0, 4.0, 5.0]
    backoff.reset()
    assert backoff.pause() == 0.0
