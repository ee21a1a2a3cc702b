"""Applies numbered SQL files to PostgreSQL, each once, in one transaction of its own.

What was applied is kept with its checksum in `public.schema_migrations`: a file that was changed
after it was applied is an error, because two databases would then differ under one number.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from roas_contracts.errors import MisconfigurationError, TransientError

_NAME = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
# Any constant will do: two runners at once must not apply the same file.
_ADVISORY_LOCK = 7_041_776

_TABLE = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Digest of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Path) -> list[Migration]:
    """The files of a folder in their order.

    Raises:
        MisconfigurationError: a file's name is not `NNN_name.sql`, or a number is missing or
            there twice.
    """
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MisconfigurationError(f"{path}: a migration is named NNN_name.sql")
        migrations.append(Migration(int(match.group(1)), path.name, path.read_text("utf-8")))
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MisconfigurationError(f"{folder}: the numbers must run from 001 without a gap")
    return migrations


def pending(migrations: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """Those still to be applied, given the applied numbers with their checksums.

    Raises:
        MisconfigurationError: an applied file was changed, or the database is newer than this
            checkout.
    """
    known = {migration.number: migration for migration in migrations}
    for number, checksum in applied.items():
        if number not in known:
            raise MisconfigurationError(
                f"the database has migration {number:03}, which this checkout does not: "
                "it was made by a newer version"
            )
        if known[number].sha256 != checksum:
            raise MisconfigurationError(
                f"{known[number].name} was changed after it was applied: add a new file instead"
            )
    return [migration for migration in migrations if migration.number not in applied]


def migrate(dsn: str, folder: Path) -> list[str]:
    """Apply what is pending and return the names of the applied files.

    Raises:
        MisconfigurationError: a file is wrong (its name, its SQL, or changed after the fact).
        TransientError: the database does not answer.
    """
    migrations = load_migrations(folder)
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
            connection.execute(_TABLE)
            rows = connection.execute("SELECT number, sha256 FROM public.schema_migrations")
            todo = pending(migrations, dict(rows.fetchall()))
            for migration in todo:
                _apply(connection, migration)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer: {error}".strip()) from None
    return [migration.name for migration in todo]


def _apply(connection: "psycopg.Connection[tuple[object, ...]]", migration: Migration) -> None:
    try:
        with connection.transaction():
            # Bytes: the file is trusted and may hold several statements.
            connection.execute(migration.sql.encode(), prepare=False)
            connection.execute(
                "INSERT INTO public.schema_migrations (number, name, sha256) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.sha256),
            )
    except psycopg.ProgrammingError as error:
        raise MisconfigurationError(f"{migration.name}: {error}".strip()) from None
