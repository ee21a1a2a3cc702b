"""Flink's session cluster, through its REST interface."""

import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from roas_contracts.errors import TransientError

_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.2

_ENDED: Final = frozenset({"FAILED", "CANCELED", "FINISHED"})


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the cluster sees it."""

    id: str
    name: str
    state: str
    """Flink's word for it: RUNNING, RESTARTING, FAILED, …"""

    @property
    def ended(self) -> bool:
        """It will never run again."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job's checkpoints are."""

    completed: int
    failed: int
    restarts: int
    newest_path: str | None
    newest_at_ms: int | None
    """Wall clock at which the newest checkpoint was triggered, milliseconds."""


class Cluster:
    """Every method raises TransientError when the JobManager does not answer.

    Args:
        url: of the REST interface.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def jobs(self, name: str) -> list[Job]:
        """Every job of this name that the JobManager remembers, ended ones too."""
        found = self._call("GET", "/jobs/overview")["jobs"]
        return [Job(job["jid"], job["name"], job["state"]) for job in found if job["name"] == name]

    def progress(self, job_id: str) -> Progress:
        """Checkpoints and restarts of a job."""
        checkpoints = self._call("GET", f"/jobs/{job_id}/checkpoints")
        newest = checkpoints["latest"]["completed"]
        return Progress(
            completed=checkpoints["counts"]["completed"],
            failed=checkpoints["counts"]["failed"],
            restarts=self._restarts(job_id),
            newest_path=newest and newest["external_path"],
            newest_at_ms=newest and newest["trigger_timestamp"],
        )

    def _restarts(self, job_id: str) -> int:
        metrics: Any = self._call("GET", f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(float(metrics[0]["value"])) if metrics else 0

    def failure(self, job_id: str) -> str:
        """The first line of what made a job fail."""
        root = self._call("GET", f"/jobs/{job_id}/exceptions").get("root-exception") or ""
        causes = [line for line in root.splitlines() if line.startswith("Caused by")]
        return str((causes or root.splitlines() or ["unknown"])[-1])

    def all_slots_free(self) -> bool:
        """Whether no task of an earlier job is left on a TaskManager.

        After the JobManager's death its TaskManagers run on until they miss it.
        """
        managers = self._call("GET", "/taskmanagers")["taskmanagers"]
        return bool(managers) and all(
            manager["freeSlots"] == manager["slotsNumber"] for manager in managers
        )

    def cancel(self, job_id: str, wait_s: float) -> bool:
        """Cancel a job and wait until it has ended; its checkpoints stay. False if it has not."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if self._state(job_id) in _ENDED:
                return True
            time.sleep(_POLL_S)
        return False

    def _state(self, job_id: str) -> str:
        return str(self._call("GET", f"/jobs/{job_id}")["state"])

    def stop_with_savepoint(self, job_id: str, directory: str, wait_s: float) -> str:
        """Stop a job gracefully; everything it has read is in the savepoint whose path is returned.

        Raises:
            TransientError: the savepoint failed or took longer; the job may run on.
        """
        body = {"targetDirectory": directory, "drain": False}
        request = self._call("POST", f"/jobs/{job_id}/stop", body)["request-id"]
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            answer = self._call("GET", f"/jobs/{job_id}/savepoints/{request}")
            if answer["status"]["id"] == "COMPLETED":
                operation = answer["operation"]
                if "location" not in operation:
                    cause = str(operation.get("failure-cause", {}).get("class", "unknown"))
                    raise TransientError(f"Flink could not write the savepoint ({cause})")
                return str(operation["location"]).removeprefix("file:")
            time.sleep(_POLL_S)
        raise TransientError(f"Flink has not written the savepoint within {wait_s:.0f} s")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = httpx.request(method, self.url + path, json=body, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TransientError(f"no usable answer from Flink at {self.url}: {error}") from error
