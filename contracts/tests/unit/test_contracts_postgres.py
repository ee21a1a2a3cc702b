"""PostgreSQL's errors as ours."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from roas_contracts.errors import MisconfigurationError, RoasError, TransientError
from roas_contracts.postgres import Database

DATABASE = Database("ROAS_BATCH_POSTGRES_DSN", "the tables", "-c statement_timeout=1s")


@pytest.mark.parametrize(
    ("raised", "ours", "said"),
    [
        (errors.DiskFull("could not extend file"), TransientError, "disk is full"),
        (errors.LockNotAvailable("timeout"), TransientError, "hold what has to be changed"),
        (errors.AdminShutdown("terminating"), TransientError, "does not answer"),
        (psycopg.OperationalError("server closed"), TransientError, "does not answer"),
        (errors.UndefinedTable("no such"), MisconfigurationError, "apply the migrations"),
        (errors.InsufficientPrivilege("denied"), MisconfigurationError, "PostgreSQL refuses"),
    ],
)
def test_every_failure_says_what_to_do(raised: Exception, ours: type[RoasError], said: str) -> None:
    with pytest.raises(ours, match=said), DATABASE.translated():
        raise raised


def test_a_server_that_is_away_is_an_outage_and_a_wrong_dsn_is_a_mistake() -> None:
    with pytest.raises(TransientError, match="does not answer"):
        DATABASE.connect("host=127.0.0.1 port=1", "test")
    with pytest.raises(MisconfigurationError, match="ROAS_BATCH_POSTGRES_DSN"):
        DATABASE.connect("nonsense", "test")
