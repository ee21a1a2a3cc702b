"""Which days there are, which are stale, which a build computed: asked of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Final, Self

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.postgres import Database

_DATABASE: Final = Database(
    "ROAS_DBT_POSTGRES_DSN",
    "the batch's tables",
    "-c idle_in_transaction_session_timeout=10min",
)
# Any constant will do: builds of one database, wherever they are started.
_ADVISORY_LOCK = 7_041_777

# The rule of the model int_days.
_STALE = """
SELECT complete.day
FROM batch.days AS complete
LEFT JOIN intermediate.int_days AS known USING (day)
WHERE known.source_built_at IS NULL
    OR known.source_built_at < complete.built_at
    OR ((known.is_source OR known.is_report) AND NOT known.is_built)
ORDER BY complete.day
"""
_EVERY = "SELECT day FROM batch.days ORDER BY day"
_UNKNOWN = """
SELECT asked.day
FROM unnest(%s::date[]) AS asked (day)
WHERE NOT EXISTS (SELECT FROM batch.days WHERE days.day = asked.day)
ORDER BY asked.day
"""
_COMPUTED = """
SELECT day FROM intermediate.int_days WHERE requested_by = %s AND is_{kind} ORDER BY day
"""


class Days:
    """A connection that asks for days.

    Raises TransientError when PostgreSQL does not answer, MisconfigurationError when it lacks the
    batch's tables.
    """

    def __init__(self, dsn: str) -> None:
        self._connection = _DATABASE.connect(dsn, "roas-dbt")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def claim(self) -> None:
        """Be the one that builds, as long as this connection is open. Raises TransientError."""
        with _DATABASE.translated():
            got = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_ADVISORY_LOCK,))
            if got.fetchone() != (True,):
                raise TransientError("another build is running on this PostgreSQL")

    def stale(self) -> list[date]:
        """Days of which raw is newer than the marts, or that a build did not finish."""
        if not self._exists("batch.days"):
            raise MisconfigurationError(
                "the PostgreSQL database lacks the table batch.days: apply "
                "infra/postgres/migrations (./roas up does)"
            )
        return self._days(_STALE if self._exists("intermediate.int_days") else _EVERY)

    def unknown(self, days: Sequence[date]) -> list[date]:
        """Those of the days that raw does not hold whole."""
        return self._days(_UNKNOWN, list(days))

    def computed(self, invocation: str, kind: str) -> list[date]:
        """Days of kind source or report that dbt's invocation computed."""
        if not self._exists("intermediate.int_days"):
            return []
        return self._days(_COMPUTED.format(kind=kind), invocation)

    def _exists(self, table: str) -> bool:
        with _DATABASE.translated():
            row = self._connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
            return row.fetchone() == (True,)

    def _days(self, query: str, *values: object) -> list[date]:
        with _DATABASE.translated():
            return [day for (day,) in self._connection.execute(query.encode(), values)]
