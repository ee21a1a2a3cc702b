"""The watcher against a cluster that forgets, fails and loses answers."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.service.stop import StopSignal
from roas_ctr_stream.checkpoints import Snapshot
from roas_ctr_stream.cluster import Cluster, Job, Progress
from roas_ctr_stream.decisions import Backoff
from roas_ctr_stream.watcher import Watcher, refuse_silent_restart

NAME = "roas-ctr-stream"


class ScriptedCluster(Cluster):
    """Says what the test wants it to, where a real one can't be made to."""

    def __init__(self) -> None:
        super().__init__("http://unused")
        self.known: list[Job] = []
        self.newest_at_ms: int | None = None

    def jobs(self, name: str) -> list[Job]:
        return list(self.known)

    def progress(self, job_id: str) -> Progress:
        return Progress(1, 0, 0, None, self.newest_at_ms)

    def failure(self, job_id: str) -> str:
        return "out of luck"

    def all_slots_free(self) -> bool:
        return True


@dataclass
class Submissions:
    """Records what is submitted; `lose_answers` many of them do arrive, but nobody says so."""

    cluster: ScriptedCluster
    lose_answers: int = 0
    arrive: bool = True
    made: list[tuple[str, str | None]] = field(default_factory=list)

    def submit(self, job_id: str, restore_from: str | None) -> None:
        self.made.append((job_id, restore_from))
        if self.arrive and all(job.id != job_id for job in self.cluster.known):
            self.cluster.known.append(Job(job_id, NAME, "RUNNING"))
        if self.lose_answers > 0:
            self.lose_answers -= 1
            raise TransientError("the answer was lost")


@dataclass
class Scene:
    cluster: ScriptedCluster = field(default_factory=ScriptedCluster)
    snapshot: Snapshot | None = None
    first: str | None = None

    def __post_init__(self) -> None:
        self.submissions = Submissions(self.cluster)
        self.watcher = Watcher(
            self.cluster,
            self.submissions,
            lambda: self.snapshot,
            restore_first=self.first,
            ready_checkpoint_age_s=30.0,
            backoff=Backoff(first_s=0.0, longest_s=0.0),
        )

    def steps(self, count: int) -> None:
        """Some rounds of the loop, without its pauses."""
        stop = StopSignal()
        with stop:
            for _ in range(count):
                self.watcher.step(stop)


def test_submits_once_and_watches() -> None:
    scene = Scene()
    scene.steps(5)
    assert len(scene.submissions.made) == 1
    assert scene.submissions.made[0][1] is None


def test_a_job_that_is_there_is_adopted() -> None:
    scene = Scene()
    scene.cluster.known = [Job("there", NAME, "RESTARTING")]
    scene.steps(3)
    assert scene.submissions.made == []
    assert scene.watcher.job_id == "there"


def test_a_lost_answer_does_not_make_a_second_job() -> None:
    scene = Scene()
    scene.submissions.lose_answers = 1
    scene.steps(3)
    assert len(scene.cluster.known) == 1
    assert len(scene.submissions.made) == 1


def test_an_attempt_that_did_not_arrive_is_repeated_under_its_id() -> None:
    scene = Scene()
    scene.submissions.lose_answers = 3
    scene.submissions.arrive = False
    scene.steps(3)
    assert len(scene.submissions.made) == 3
    assert len({job_id for job_id, _ in scene.submissions.made}) == 1


def test_an_attempt_that_ran_and_was_forgotten_goes_on_from_its_own_checkpoint() -> None:
    scene = Scene()
    scene.submissions.lose_answers = 1
    scene.steps(1)
    scene.cluster.known = []  # The JobManager died after it had taken the job …
    scene.snapshot = Snapshot(Path("/c/job/chk-9"), 1)  # … and the job had got this far.
    scene.steps(1)
    first, second = scene.submissions.made
    assert second[1] == "/c/job/chk-9"
    assert second[0] != first[0]


def test_a_failed_job_is_submitted_again_from_the_newest_checkpoint_under_another_id() -> None:
    scene = Scene()
    scene.steps(1)
    failed = scene.cluster.known[0]
    scene.cluster.known = [Job(failed.id, NAME, "FAILED")]
    scene.snapshot = Snapshot(Path("/c/job/chk-2"), 1)
    scene.steps(1)
    assert scene.submissions.made[1][1] == "/c/job/chk-2"
    assert scene.submissions.made[1][0] != failed.id


def test_a_job_that_somebody_has_cancelled_stays_cancelled() -> None:
    scene = Scene()
    scene.steps(1)
    scene.cluster.known = [Job(scene.cluster.known[0].id, NAME, "CANCELED")]
    scene.steps(3)
    assert len(scene.submissions.made) == 1
    assert not scene.watcher.readiness().ready


def test_a_given_savepoint_is_used_the_first_time_only() -> None:
    scene = Scene(first="/s/savepoint-1", snapshot=Snapshot(Path("/c/job/chk-1"), 1))
    scene.steps(1)
    scene.cluster.known = []
    scene.steps(1)
    assert [path for _, path in scene.submissions.made] == ["/s/savepoint-1", "/c/job/chk-1"]


def test_ready_needs_a_running_job_and_a_fresh_checkpoint() -> None:
    scene = Scene()
    scene.steps(2)
    assert not scene.watcher.readiness().ready  # No checkpoint yet.
    scene.cluster.newest_at_ms = 1_000  # In 1970.
    scene.steps(1)
    assert not scene.watcher.readiness().ready
    scene.cluster.newest_at_ms = 1 << 62
    scene.steps(1)
    assert scene.watcher.readiness().ready
    scene.cluster.known = [Job(scene.cluster.known[0].id, NAME, "RESTARTING")]
    scene.steps(1)
    assert not scene.watcher.readiness().ready


def test_vanished_checkpoints_are_not_taken_for_a_first_start() -> None:
    refuse_silent_restart(None, has_read=False)
    refuse_silent_restart(Snapshot(Path("/c"), 1), has_read=True)
    with pytest.raises(MisconfigurationError, match="count every event again"):
        refuse_silent_restart(None, has_read=True)
