"""How dbt is started: its environment and arguments. Decides only; nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from roas_contracts.errors import MisconfigurationError
from roas_dbt.settings import DbtSettings

PROJECT: Final = Path(__file__).resolve().parent.parent / "project"

BUILD: Final = ("build", "--exclude-resource-type", "unit_test")
"""Arguments of a build. Unit tests are left out: they judge the SQL, not the data; CI runs them."""

_CONNECTION: Final = {
    "host": "ROAS_DBT_HOST",
    "port": "ROAS_DBT_PORT",
    "user": "ROAS_DBT_USER",
    # With this prefix dbt keeps it out of its logs.
    "password": "DBT_ENV_SECRET_ROAS_PASSWORD",
    "dbname": "ROAS_DBT_DATABASE",
    "sslmode": "ROAS_DBT_SSLMODE",
}
_DEFAULTS: Final = {"host": "127.0.0.1", "port": "5432"}


def environment(
    settings: DbtSettings,
    inherited: Mapping[str, str],
    days: Sequence[date] = (),
    all_days: bool = False,
) -> dict[str, str]:
    """Variables of a dbt process: where the project is, where it writes, what it connects to.

    Args:
        settings: ours.
        inherited: the environment it would have otherwise.
        days: event days to build; none: those that are stale.
        all_days: build all that raw has instead.

    Raises:
        MisconfigurationError: ROAS_DBT_POSTGRES_DSN is no connection string, or names no user or
            database.
    """
    connection = {**_DEFAULTS, **_connection(settings.postgres_dsn.get_secret_value())}
    missing = [name for name in ("user", "dbname") if name not in connection]
    if missing:
        raise MisconfigurationError(f"ROAS_DBT_POSTGRES_DSN names no {' and no '.join(missing)}")
    return {
        **inherited,
        **{_CONNECTION[name]: value for name, value in connection.items()},
        # Not a dbt variable: with each new value of one dbt reads the whole project again.
        "ROAS_DBT_DAYS": "all" if all_days else ",".join(day.isoformat() for day in days),
        "ROAS_DBT_THREADS": str(settings.threads),
        "PGOPTIONS": f"-c work_mem={settings.work_mem_mb}MB -c timezone=UTC",
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(settings.state / "target"),
        "DBT_LOG_PATH": str(settings.state / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_USE_COLORS": "false",
        # The environment's own: not the packages of whoever starts it.
        "PYTHONPATH": "",
    }


def lint_arguments(fix: bool) -> list[str]:
    """Arguments of SQLFluff; its settings are in the project."""
    return ["fix" if fix else "lint", "--disable-progress-bar", str(PROJECT)]


def _connection(dsn: str) -> dict[str, str]:
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise MisconfigurationError("ROAS_DBT_POSTGRES_DSN is no connection string") from None
    return {name: str(value) for name, value in parts.items() if name in _CONNECTION and value}
