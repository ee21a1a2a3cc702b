"""Airflow's REST interface, as much of it as a backfill needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import httpx

from roas_airflow.backfill import Run
from roas_airflow.settings import Settings
from roas_contracts.errors import InputError, MisconfigurationError, TransientError

_SECONDS: Final = 30.0


def password(settings: Settings) -> str:
    """The user's password. Raises MisconfigurationError naming the file or the user."""
    try:
        by_user = json.loads(settings.passwords.read_text())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise MisconfigurationError(
            f"ROAS_AIRFLOW_PASSWORDS: {settings.passwords} can't be read: {reason}"
        ) from None
    if settings.user not in by_user:
        raise MisconfigurationError(
            f"ROAS_AIRFLOW_USER: {settings.passwords} has no password of {settings.user!r}"
        )
    return str(by_user[settings.user])


class AirflowClient:
    """A session with Airflow; close it, or use it in a `with`."""

    def __init__(self, settings: Settings) -> None:
        """Log in.

        Raises:
            MisconfigurationError: there is no password, or it is refused.
            TransientError: Airflow does not answer.
        """
        self._http = httpx.Client(base_url=settings.url, timeout=_SECONDS)
        login = {"username": settings.user, "password": password(settings)}
        token = self._call("POST", "/auth/token", login)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def trigger(self, dag_id: str, days: Sequence[str]) -> Run:
        """Start a run of a DAG for these event days.

        Raises:
            InputError: Airflow refuses it.
            TransientError: Airflow does not answer.
        """
        conf = {"days": list(days)} if days else {}
        body = {"logical_date": None, "conf": conf}
        return _run(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body))

    def run(self, dag_id: str, run_id: str) -> Run:
        """How a run is doing. Raises TransientError."""
        return _run(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def started_by(self, run: Run) -> list[Run] | None:
        """Runs that were started by the assets of a run; None if it published none.

        Raises:
            TransientError: Airflow does not answer.
        """
        query = {"source_dag_id": run.dag_id, "source_run_id": run.run_id}
        answer = self._call("GET", "/api/v2/assets/events", query=query)
        if not answer["asset_events"]:
            return None
        return [
            _run({**created, "dag_run_id": created["run_id"]})
            for event in answer["asset_events"]
            for created in event["created_dagruns"]
        ]

    def failed_tasks(self, run: Run) -> list[str]:
        """Tasks of a run that failed. Raises TransientError."""
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        answer = self._call("GET", path, query={"state": "failed"})
        return sorted({str(task["task_id"]) for task in answer["task_instances"]})

    def close(self) -> None:
        """End the session."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> Any:
        try:
            answer = self._http.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise TransientError(
                f"Airflow does not answer at {self._http.base_url}: {error}; ./roas up --batch "
                "starts it"
            ) from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise MisconfigurationError(
                "ROAS_AIRFLOW_PASSWORDS: Airflow refuses this user's password"
            )
        if answer.is_server_error:
            raise TransientError(f"Airflow failed to answer {path}: {answer.status_code}")
        if answer.is_error:
            raise InputError(f"Airflow refuses {path}: {_detail(answer)}")
        return answer.json()


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _run(answer: Any) -> Run:
    return Run(str(answer["dag_id"]), str(answer["dag_run_id"]), str(answer["state"]))
