"""The real PostgreSQL: start, use, kill -9, start again, migrate."""

import os
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_contracts.subjects import load_subject
from roas_local.components import PostgresServer
from roas_local.layout import current
from roas_local.migrate import migrate


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as postgres:
        with psycopg.connect(postgres.dsn) as connection:
            connection.execute("CREATE TABLE survives (value int)")
            connection.execute("INSERT INTO survives VALUES (42)")
        assert postgres.pid is not None
        family = psutil.Process(postgres.pid).children(recursive=True)
        assert family
        postgres.kill()
        assert not any(child.is_running() for child in family)
        postgres.start()
        with psycopg.connect(postgres.dsn) as connection:
            assert connection.execute("SELECT value FROM survives").fetchall() == [(42,)]


def test_the_password_is_needed_and_kept_from_others(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as postgres:
        wrong = postgres.dsn.replace(postgres.password, "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_root_does_not_run_it_as_root(tmp_path: Path) -> None:
    # Nobody else may look into this folder: the server must reach its data all the same.
    tmp_path.chmod(0o700)
    with PostgresServer(tmp_path) as postgres:
        process = psutil.Process(postgres.pid)
        assert 0 not in process.uids()
        assert 0 not in process.gids()


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_table.sql").write_text("CREATE TABLE t (a int); INSERT INTO t VALUES (1);")
    with PostgresServer(tmp_path / "postgres") as postgres:
        assert migrate(postgres.dsn, folder) == ["001_table.sql"]
        assert migrate(postgres.dsn, folder) == []
        (folder / "002_more.sql").write_text("INSERT INTO t VALUES (2);")
        assert migrate(postgres.dsn, folder) == ["002_more.sql"]
        with psycopg.connect(postgres.dsn) as connection:
            assert connection.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (2,)]


def test_a_failing_migration_leaves_nothing_of_itself(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_half.sql").write_text("CREATE TABLE half (a int); SELECT no_such_function();")
    with PostgresServer(tmp_path / "postgres") as postgres:
        with pytest.raises(MisconfigurationError, match=r"001_half\.sql"):
            migrate(postgres.dsn, folder)
        with psycopg.connect(postgres.dsn) as connection:
            assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
            rows = connection.execute("SELECT count(*) FROM public.schema_migrations").fetchone()
            assert rows == (0,)


def test_migrating_without_a_server_is_an_outage(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as postgres:
        dsn = postgres.dsn
    with pytest.raises(TransientError, match="PostgreSQL does not answer"):
        migrate(dsn, tmp_path / "absent")


_RAW_KEY = ["event_day", "partition", "offset", "record_timestamp", "schema_id"]


def test_the_migrations_of_the_repository_run_and_explain_every_column(tmp_path: Path) -> None:
    migrations = current().repository / "infra" / "postgres" / "migrations"
    with PostgresServer(tmp_path) as postgres:
        assert migrate(postgres.dsn, migrations)
        with psycopg.connect(postgres.dsn) as connection:
            unexplained = connection.execute(
                "SELECT c.oid::regclass::text, a.attname FROM pg_class c"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                " WHERE c.relnamespace IN ('raw'::regnamespace, 'batch'::regnamespace)"
                " AND c.relkind IN ('r', 'p')"
                " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
            ).fetchall()
            assert unexplained == []
            for topic in (AD_IMPRESSIONS, AD_CLICKS, AD_CONVERSIONS):
                columns = connection.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                    " AND attnum > 0 ORDER BY attnum",
                    (f"raw.{topic.replace('-', '_')}",),
                ).fetchall()
                fields = [field["name"] for field in load_subject(topic).latest.parsed["fields"]]
                assert [name for (name,) in columns] == _RAW_KEY + fields
