"""Composition root of `run`: wires settings, cluster, watcher and health together."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import structlog

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.service import logs
from roas_contracts.service.health import HealthServer
from roas_contracts.service.stop import StopSignal
from roas_ctr_stream import GROUP, JOB_NAME, SERVICE, __version__
from roas_ctr_stream.checkpoints import Snapshot, has_read_before, newest_snapshot
from roas_ctr_stream.cluster import Cluster
from roas_ctr_stream.decisions import Backoff
from roas_ctr_stream.settings import OnStop, Settings
from roas_ctr_stream.watcher import Watcher, refuse_silent_restart
from roas_ctr_stream.writer_schemas import writer_schema_ids

_SUBMISSION_S: Final = 120.0
_CANCEL_S: Final = 20.0
_POLL_S: Final = 0.2


class ChildSubmitter:
    """Submits from a process of its own: submitting needs a JVM, watching does not."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop

    def submit(self, job_id: str, restore_from: str | None) -> None:
        """See `watcher.Submitter`."""
        command = [sys.executable, "-m", "roas_ctr_stream", "submit", "--job-id", job_id]
        if restore_from is not None:
            command += ["--restore-from", restore_from]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _SUBMISSION_S
        while child.poll() is None:
            if self._stop.wait(_POLL_S) or time.monotonic() > deadline:
                child.kill()
                child.wait()
                raise TransientError("the submission did not end in time")
        if child.returncode != 0:
            raise TransientError(f"the submission ended with exit code {child.returncode}")


def run(settings: Settings, *, from_savepoint: Path | None, fresh: bool) -> None:
    """Keep the job running until SIGTERM or Ctrl-C.

    Args:
        settings: the deployment's.
        from_savepoint: start from here the first time, instead of the newest checkpoint.
        fresh: ignore checkpoints that exist now and read from the beginning.

    Raises:
        MisconfigurationError: a jar, a schema or a topic is missing, or checkpoints have vanished.
    """
    logs.configure(SERVICE, __version__)
    settings.jar_paths()
    since_ns = time.time_ns() if fresh else 0

    def where_to_go_on() -> Snapshot | None:
        snapshot = newest_snapshot(settings.checkpoints, settings.savepoint_directory, since_ns)
        if snapshot is None and not fresh:
            has_read = has_read_before(settings.kafka_bootstrap, GROUP, list(EVENT_TOPICS))
            refuse_silent_restart(snapshot, has_read)
        return snapshot

    cluster = Cluster(settings.flink_url)
    with StopSignal() as stop:
        watcher = Watcher(
            cluster,
            ChildSubmitter(stop),
            where_to_go_on,
            restore_first=None if from_savepoint is None else str(from_savepoint),
            ready_checkpoint_age_s=settings.ready_checkpoint_age_s,
        )
        with HealthServer(settings.health_port, watcher.readiness):
            _wait_for_registry(settings, stop)
            watcher.run(stop)
            if settings.on_stop is OnStop.CANCEL:
                cancel(cluster)


def _wait_for_registry(settings: Settings, stop: StopSignal) -> None:
    """A registry that is away is waited for; a schema that is not in it is a mistake."""
    backoff = Backoff(longest_s=10.0)
    while not stop.wait(backoff.pause()):
        try:
            writer_schema_ids(settings.registry_url)
            return
        except TransientError as error:
            structlog.get_logger("roas_ctr_stream").warning("waiting", reason=str(error))


def cancel(cluster: Cluster) -> None:
    """Cancel every job of ours; what has been read is in their retained checkpoints."""
    log = structlog.get_logger("roas_ctr_stream")
    try:
        for job in cluster.jobs(JOB_NAME):
            if not job.ended:
                ended = cluster.cancel(job.id, _CANCEL_S)
                log.info("cancelled" if ended else "still cancelling", job_id=job.id)
    except TransientError as error:
        log.warning("the job could not be cancelled", reason=str(error))


def readable_snapshot(path: Path) -> Path:
    """A path given by a person, checked.

    Raises:
        MisconfigurationError: there is no complete checkpoint or savepoint.
    """
    if not (path / "_metadata").is_file():
        raise MisconfigurationError(f"no complete checkpoint or savepoint in {path}")
    return path.absolute()
