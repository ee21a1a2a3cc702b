"""A connection to PostgreSQL whose failures are ours.

The lower settings of a session are the same for everyone: a server that is gone is noticed within
half a minute, times are UTC, and every statement is a transaction of its own unless asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg import errors

from roas_contracts.errors import MisconfigurationError, TransientError

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Database:
    """How one service reaches PostgreSQL, and what it says when that fails."""

    setting: str
    """The variable that holds the DSN."""
    schema: str
    """What a database without our migrations lacks, such as "the errors schema"."""
    options: str
    """Timeouts of each session, as libpq's `options`."""

    def connect(self, dsn: str, name: str) -> Connection:
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
                options=f"-c TimeZone=UTC {self.options}",
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=30_000,
            )
        except psycopg.OperationalError as error:
            raise TransientError(f"PostgreSQL does not answer: {_line(error)}") from error
        except psycopg.ProgrammingError as error:
            raise MisconfigurationError(f"{self.setting} is not usable: {_line(error)}") from error

    @contextmanager
    def translated(self) -> Iterator[None]:
        """PostgreSQL's errors as ours.

        Raises:
            TransientError: the server does not answer, has no disk left, or somebody holds what has
                to be changed.
            MisconfigurationError: a migration is missing, or the server refuses for good.
        """
        try:
            yield
        except (
            errors.UndefinedTable,
            errors.UndefinedColumn,
            errors.UndefinedFunction,
            errors.InvalidSchemaName,
        ) as error:
            raise MisconfigurationError(
                f"the PostgreSQL database lacks {self.schema}: apply the migrations of "
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
                f"PostgreSQL refuses ({self.setting}, or a missing migration): {_line(error)}"
            ) from error


def _line(error: Exception) -> str:
    """The first line of a server's message."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
