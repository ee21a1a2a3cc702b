"""Airflow DAG `maintain`: what has to be done every day so that everything else can go on.

The chores do not depend on each other: one that fails is an incident, the others are done.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task  # pants: no-infer-dep

from roas_dags.settings import dag_settings
from roas_dags.tasks import START, ask, closing, commands, defaults

CHORES = ("retention", "registry-backup", "dead-letter-report", "vacuum")
"""Verbs of `./roas batch maintain`."""


@task
def verify_archive(params: Any = None) -> None:
    """Check the archive's checksums, and restore a sample."""
    ask(commands().verify_archive(params["sample"]), "archive")


@dag(
    schedule=dag_settings().maintain_schedule or None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={
        "sample": Param(
            10, type="integer", minimum=1, maximum=10_000, description="Files of the archive."
        )
    },
    doc_md=__doc__,
)
def maintain() -> None:
    """Wire the tasks."""
    last = closing(resolves=True)
    verify_archive() >> last
    for chore in CHORES:

        @task(task_id=chore.replace("-", "_"))
        def do(chore: str) -> None:
            ask(commands().maintain(chore), chore)

        do(chore) >> last


maintain()
