"""The versioned views, made by the real migrations, keep what their declarations promise."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from roas_contracts.read_interfaces import broken_promises, load_all
from roas_local.components import PostgresServer
from roas_local.migrate import migrate

MIGRATIONS = Path(__file__).resolve().parents[3] / "postgres" / "migrations"

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('v', 'm', 'r', 'p')
ORDER BY n.nspname, c.relname, a.attnum
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as postgres:
        migrate(postgres.dsn, MIGRATIONS)
        yield postgres.dsn


def offered(connection: psycopg.Connection[tuple[str, ...]]) -> dict[str, dict[str, str]]:
    """Columns with their types by versioned schema."""
    found: dict[str, dict[str, str]] = {}
    for schema, view, column, kind in connection.execute(_COLUMNS):
        if re.fullmatch(r"[a-z_]+_v\d+", schema):
            found.setdefault(schema, {})[f"{view}.{column}"] = kind
    return found


DECLARED = {
    name: interface.promises
    for name, interface in load_all().items()
    if interface.made_by == "infra/postgres/migrations"
}


def broken(connection: psycopg.Connection[tuple[str, ...]]) -> list[str]:
    schemas: Mapping[str, Mapping[str, str]] = offered(connection)
    return [
        f"{name}: {each}"
        for name, promises in DECLARED.items()
        for each in broken_promises(promises, schemas.get(name, {}))
    ]


def test_every_versioned_schema_is_declared_and_keeps_its_promises(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert set(offered(connection)) == set(DECLARED)
        assert broken(connection) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER VIEW realtime_v1.freshness RENAME COLUMN updated_at TO at", "updated_at (timest"),
        ("DROP VIEW realtime_v1.freshness", "freshness.window_size (text) is gone"),
        (
            "DROP VIEW realtime_v1.freshness; CREATE VIEW realtime_v1.freshness AS "
            "SELECT window_size::varchar(2) AS window_size FROM realtime.freshness",
            "freshness.window_size: text became character varying(2)",
        ),
        ("ALTER SCHEMA realtime_v1 RENAME TO realtime_v2", "metrics_1m.ctr (double precision)"),
        ("DROP SCHEMA errors_v1 CASCADE", "errors_v1: actions.action (text) is gone"),
    ],
    ids=["renamed", "dropped", "retyped", "moved", "all-dropped"],
)
def test_a_change_that_breaks_readers_is_named(database: str, change: str, said: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(change.encode())
        assert any(said in each for each in broken(connection))
        connection.rollback()


def test_a_column_that_is_added_breaks_nobody(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE VIEW realtime_v1.more AS SELECT 1 AS one")
        assert broken(connection) == []
        connection.rollback()
