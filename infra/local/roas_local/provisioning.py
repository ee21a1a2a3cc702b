"""What has to be in the infrastructure before a service starts: schemas, topics, tables."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from roas_contracts import exit_codes
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_local.migrate import migrate

_STEP_SECONDS = 120.0


def provision(
    repository: Path,
    python: Path,
    environment: Mapping[str, str],
    dsn: str,
    say: Callable[[str], None],
) -> None:
    """Register the schemas, create the topics and apply the migrations; safe to repeat.

    Args:
        repository: the checkout.
        python: interpreter of the services' environment.
        environment: settings of the stack's services.
        dsn: PostgreSQL's address.
        say: takes one line of progress.

    Raises:
        MisconfigurationError: a contract or a migration is wrong.
        TransientError: Kafka, the registry or PostgreSQL does not answer.
    """
    say("registering the schemas")
    _contracts(python, environment, "register")
    say("creating the topics")
    _contracts(python, environment, "topics", "--replication", "1")
    say("applying the database migrations")
    for name in migrate(dsn, repository / "infra" / "postgres" / "migrations"):
        say(f"applied {name}")


def _contracts(python: Path, environment: Mapping[str, str], *arguments: str) -> None:
    command: list[str | Path] = [python, "-m", "roas_contracts", *arguments]
    env = {**os.environ, **environment}
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_STEP_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise TransientError(
            f"`roas contracts {arguments[0]}` did not end within {_STEP_SECONDS:.0f} s"
        ) from None
    if done.returncode != exit_codes.OK:
        said = (done.stderr or done.stdout).strip()
        error = TransientError if done.returncode == exit_codes.UNAVAILABLE else None
        raise (error or MisconfigurationError)(f"`roas contracts {arguments[0]}` failed: {said}")
