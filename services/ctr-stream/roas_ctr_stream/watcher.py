"""Keeps exactly one job running on the cluster."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from prometheus_client import Counter, Gauge

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.service.health import Readiness
from roas_contracts.service.stop import StopSignal
from roas_ctr_stream import JOB_NAME
from roas_ctr_stream.checkpoints import Snapshot
from roas_ctr_stream.cluster import Cluster, Job, Progress
from roas_ctr_stream.decisions import Action, Backoff, decide

_POLL_S: Final = 1.0
_OLD_TASKS_GONE_S: Final = 30.0
_STABLE_S: Final = 60.0

_RUNNING = Gauge("roas_ctr_stream_job_running", "1 while the job is RUNNING")
_CHECKPOINT_AGE = Gauge(
    "roas_ctr_stream_checkpoint_age_seconds", "Age of the newest complete checkpoint"
)
_CHECKPOINTS_FAILED = Gauge("roas_ctr_stream_checkpoints_failed", "Failed checkpoints of the job")
_RESTARTS = Gauge("roas_ctr_stream_job_restarts", "Restarts of the job by Flink")
_SUBMISSIONS = Counter("roas_ctr_stream_submissions", "Submissions of the job by this service")


class Submitter(Protocol):
    """Hands the job to the cluster."""

    def submit(self, job_id: str, restore_from: str | None) -> None:
        """Submit under this id; a job with it that is there already is the job.

        Raises:
            TransientError: it is not known whether the cluster has the job.
        """
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A submission whose outcome is not known yet. Repeated as it is, or it could be doubled."""

    job_id: str
    restore_from: str | None


class Watcher:
    """Submits the job where there is none, and looks after it.

    Args:
        cluster: where it runs.
        submitter: how it gets there.
        where_to_go_on: the newest snapshot, or None for a first start.
        restore_first: path to start from instead, the first time.
        ready_checkpoint_age_s: an older checkpoint means that something is wrong.
        backoff: pauses between submissions.
    """

    def __init__(
        self,
        cluster: Cluster,
        submitter: Submitter,
        where_to_go_on: Callable[[], Snapshot | None],
        *,
        restore_first: str | None,
        ready_checkpoint_age_s: float,
        backoff: Backoff | None = None,
    ) -> None:
        self._cluster = cluster
        self._submitter = submitter
        self._where_to_go_on = where_to_go_on
        self._restore_first = restore_first
        self._ready_age_s = ready_checkpoint_age_s
        self._log = structlog.get_logger("roas_ctr_stream.watcher")
        self._backoff = backoff or Backoff()
        self._job_id: str | None = None
        self._attempt: _Attempt | None = None
        self._running_since: float | None = None
        self._said = ""
        self._readiness = Readiness(False, {"job": "not submitted yet"})

    @property
    def job_id(self) -> str | None:
        """The job that is looked after."""
        return self._job_id

    def readiness(self) -> Readiness:
        """RUNNING, and with a fresh checkpoint."""
        return self._readiness

    def run(self, stop: StopSignal) -> None:
        """Look after the job until told to stop."""
        while not stop.is_set():
            self.step(stop)
            stop.wait(_POLL_S)

    def step(self, stop: StopSignal) -> None:
        """Look once, and do what has to be done."""
        try:
            self._look(stop)
        except TransientError as error:
            self._not_ready(str(error))

    def _look(self, stop: StopSignal) -> None:
        jobs = self._cluster.jobs(JOB_NAME)
        decision = decide(jobs, self._job_id)
        if decision.action is Action.SUBMIT:
            self._not_ready("there is no job", **self._failure(decision.job))
            if not stop.wait(self._backoff.pause()):
                self._submit({job.id for job in jobs}, stop)
        elif decision.action is Action.WATCH and decision.job is not None:
            self._watch(decision.job)
        elif decision.action is Action.STAND_BY:
            self._not_ready("somebody has stopped the job; restart this service to start it again")
        else:
            self._not_ready("two jobs of one name are running: cancel one of them")

    def _failure(self, job: Job | None) -> dict[str, str]:
        return {} if job is None else {"failed_with": self._cluster.failure(job.id)}

    def _submit(self, ended: set[str], stop: StopSignal) -> None:
        self._wait_for_old_tasks(stop)
        restore_from = self._restore_path()
        attempt = self._attempt
        if (
            attempt is None
            or attempt.job_id in ended
            or attempt.restore_from != restore_from  # It has run: this checkpoint is its work.
        ):
            attempt = self._attempt = _Attempt(uuid.uuid4().hex, restore_from)
        self._log.info("submitting", job_id=attempt.job_id, restore_from=attempt.restore_from)
        _SUBMISSIONS.inc()
        self._submitter.submit(attempt.job_id, attempt.restore_from)
        self._adopt(attempt.job_id)

    def _adopt(self, job_id: str) -> None:
        self._job_id = job_id
        self._attempt = None
        self._restore_first = None

    def _restore_path(self) -> str | None:
        if self._restore_first is not None:
            return self._restore_first
        snapshot = self._where_to_go_on()
        return None if snapshot is None else str(snapshot.path)

    def _wait_for_old_tasks(self, stop: StopSignal) -> None:
        """Tasks that outlive their JobManager could open a transaction that nobody ever ends."""
        deadline = time.monotonic() + _OLD_TASKS_GONE_S
        while not self._cluster.all_slots_free() and time.monotonic() < deadline:
            self._not_ready("waiting for a TaskManager without old tasks")
            if stop.wait(_POLL_S):
                return

    def _watch(self, job: Job) -> None:
        if job.id != self._job_id:
            self._log.info("watching", job_id=job.id, state=job.state)
            self._adopt(job.id)
        progress = self._cluster.progress(job.id)
        now = time.time()
        age = None if progress.newest_at_ms is None else now - progress.newest_at_ms / 1000
        running = job.state == "RUNNING"
        fresh = age is not None and age <= self._ready_age_s
        self._readiness = Readiness(
            running and fresh,
            {"job": job.id, "state": job.state, "checkpoint_age_s": age and round(age, 1)},
        )
        self._say(f"the job is {job.state}, its checkpoints are {'fresh' if fresh else 'old'}")
        self._measure(running, age, progress)
        self._settle(running)

    def _measure(self, running: bool, age: float | None, progress: Progress) -> None:
        _RUNNING.set(running)
        _CHECKPOINT_AGE.set(float("nan") if age is None else age)
        _CHECKPOINTS_FAILED.set(progress.failed)
        _RESTARTS.set(progress.restarts)

    def _settle(self, running: bool) -> None:
        if not running:
            self._running_since = None
        elif self._running_since is None:
            self._running_since = time.monotonic()
        elif time.monotonic() - self._running_since > _STABLE_S:
            self._backoff.reset()

    def _not_ready(self, why: str, **context: object) -> None:
        _RUNNING.set(0)
        self._running_since = None
        self._readiness = Readiness(False, {"job": self._job_id, "why": why})
        self._say(why, **context)

    def _say(self, what: str, **context: object) -> None:
        """Log a change, not every look."""
        if what != self._said:
            self._said = what
            self._log.info(what, job_id=self._job_id, **context)


def refuse_silent_restart(snapshot: Snapshot | None, has_read: bool) -> None:
    """Guard against counting everything twice.

    Raises:
        MisconfigurationError: this group has read before, and its checkpoints are not there.
    """
    if snapshot is None and has_read:
        raise MisconfigurationError(
            "this consumer group has completed checkpoints, but ROAS_CTR_STREAM_CHECKPOINTS holds "
            "none: starting anew would count every event again. Point it to the right folder, or "
            "start with --fresh if the metrics topics are empty too"
        )
