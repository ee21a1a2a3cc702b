"""A connection to PostgreSQL whose failures are ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors

from roas_contracts.errors import MisconfigurationError, TransientError

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_OPTIONS: Final = "-c TimeZone=UTC -c idle_in_transaction_session_timeout=10min"


def connect(dsn: str, name: str) -> Connection:
    """Connect.

    Args:
        dsn: libpq connection string or URL.
        name: of the session in pg_stat_activity.

    Raises:
        TransientError: the server does not answer.
        MisconfigurationError: the DSN is not one.
    """
    try:
        return psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=5,
            application_name=name,
            options=_OPTIONS,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer: {_line(error)}") from error
    except psycopg.ProgrammingError as error:
        raise MisconfigurationError(
            f"ROAS_BATCH_POSTGRES_DSN is not usable: {_line(error)}"
        ) from error


@contextmanager
def translated() -> Iterator[None]:
    """PostgreSQL's errors as ours; raises as `connect`."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
        raise MisconfigurationError(
            "the PostgreSQL database lacks the batch's tables: apply the migrations of "
            f"infra/postgres/migrations ({_line(error)})"
        ) from error
    except errors.DiskFull as error:
        raise TransientError(f"PostgreSQL's disk is full: {_line(error)}") from error
    except errors.LockNotAvailable as error:
        raise TransientError(
            f"others hold what has to be changed for too long: {_line(error)}"
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise TransientError(f"PostgreSQL does not answer: {_line(error)}") from error
    except psycopg.DatabaseError as error:
        raise MisconfigurationError(
            "PostgreSQL refuses (ROAS_BATCH_POSTGRES_DSN, or a missing migration): "
            f"{_line(error)}"
        ) from error


def _line(error: Exception) -> str:
    """The first line of a server's message."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
