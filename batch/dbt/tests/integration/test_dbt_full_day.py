"""Days of up to 5.3 million impressions, Avazu's largest: built and tested within 90 seconds, and
no more than in proportion. `-s` prints the figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from full_day import generate
from marts import Marts

from roas_local.components import PostgresServer
from roas_local.install import default_toolchain
from roas_local.layout import current
from roas_local.migrate import migrate

pytestmark = [pytest.mark.timeout(1200)]

SIZES = {
    date(2014, 10, 20): 530_000,
    date(2014, 10, 21): 1_600_000,
    date(2014, 10, 22): 5_337_126,
}
MOST_SECONDS = 90.0


@pytest.fixture()
def marts(tmp_path: Path) -> Iterator[Marts]:
    with PostgresServer(tmp_path / "postgres") as postgres:
        migrate(postgres.dsn, current().repository / "infra" / "postgres" / "migrations")
        yield Marts(postgres.dsn, default_toolchain().dbt(), tmp_path / "dbt")


def test_a_full_day_is_built_in_time_and_ten_times_the_rows_take_no_more_than_ten_times_as_long(
    marts: Marts,
) -> None:
    marts.build_all_well()  # Tables and dbt's own start are not what is measured.
    seconds = {}
    for day, rows in SIZES.items():
        with marts.connect() as connection:
            generate(connection, day, rows)
        report = marts.build_all_well("--days", day.isoformat())
        seconds[rows] = report["seconds"]
        print(f"{rows:,} impressions: {report['seconds']:.1f} s, slowest {report['slowest']}")
    smallest, *_, largest = SIZES.values()
    assert seconds[largest] < MOST_SECONDS
    assert seconds[largest] / seconds[smallest] < largest / smallest
