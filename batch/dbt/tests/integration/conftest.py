"""One PostgreSQL with raw days and marts on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from marts import Marts
from raw_days import made_up

from roas_local.components import PostgresServer
from roas_local.install import default_toolchain
from roas_local.layout import current
from roas_local.migrate import migrate

FIRST = date(2014, 11, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(5)]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as postgres:
        migrate(postgres.dsn, current().repository / "infra" / "postgres" / "migrations")
        yield postgres


@pytest.fixture(scope="session")
def marts(database: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """Five days in a row, an empty one, and one that looks back on the last of them; not built."""
    found = Marts(database.dsn, default_toolchain().dbt(), tmp_path_factory.mktemp("dbt"))
    empty, far = DAYS[-1] + timedelta(days=1), DAYS[-1] + timedelta(days=28)
    world = made_up([*DAYS, empty, far], seed=7)
    for events in (world[empty].impressions, world[empty].clicks, world[empty].conversions):
        events.clear()
    found.restate(world)
    return found
