"""6,000 real rows: every minute and dimension value equals an independent script's count."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from independent_count import Counts, count
from whole_stack import BACKGROUND_SUPERVISOR, WholeStack

from roas_contracts.redis_layout import RedisMetricsReader, WindowSize
from roas_local.layout import current

pytestmark = [pytest.mark.timeout(900), BACKGROUND_SUPERVISOR]

DAY = ("2014-10-21", "2014-10-22")
MINUTES = {WindowSize.ONE_MINUTE: 1, WindowSize.FIVE_MINUTES: 5}


@pytest.fixture(scope="module")
def avazu_file() -> Path:
    default = current().repository.parent / "shared" / "data" / "avazu"
    folder = Path(os.environ.get("ROAS_AVAZU_DIR", default))
    file = folder / "train-6000.csv"
    if not file.is_file():
        pytest.skip(f"Avazu's rows are not in {folder} (ROAS_AVAZU_DIR): they can't be carried")
    return file


@pytest.fixture(scope="module")
def replayed(stack: WholeStack, avazu_file: Path) -> Path:
    """The file has gone through, and the ledger finds every lineage exact."""
    producer = stack.producer("replay", str(avazu_file), "--no-errata")
    producer.spawn()
    assert producer.wait_exit(300) == 0, stack.log("producer")
    report = stack.ledger(300)
    (balance,) = (line for line in report["topics"] if line["topic"] == "ad-impressions")
    assert balance["on_time"] + balance["late"] == 6_000
    return avazu_file


def in_postgres(stack: WholeStack, size: WindowSize) -> Counts:
    found: Counts = Counter()
    with psycopg.connect(stack.dsn) as connection:
        rows = connection.execute(
            "SELECT window_start, dimension, value, impressions, clicks"
            f" FROM realtime_v1.metrics_{size.value}"
            " WHERE window_start >= %s AND window_start < %s",
            DAY,
        )
        for start, dimension, value, impressions, clicks in rows:
            assert isinstance(start, datetime)
            key = (int(start.timestamp()), dimension, value)
            found[(*key, "impressions")] += impressions
            found[(*key, "clicks")] += clicks
    return +found  # Without zeros.


def in_redis(stack: WholeStack, size: WindowSize) -> Counts:
    found: Counts = Counter()
    reader = RedisMetricsReader.connect(stack.redis_url)
    for row in reader.everything(size):
        key = (row.window_start // 1000, row.dimension, row.value)
        found[(*key, "impressions")] += row.totals.impressions
        found[(*key, "clicks")] += row.totals.clicks
    reader.close()
    return +found


@pytest.mark.parametrize("size", list(WindowSize))
def test_postgres_equals_the_independent_count(
    stack: WholeStack, replayed: Path, size: WindowSize
) -> None:
    assert in_postgres(stack, size) == count(replayed, MINUTES[size])


@pytest.mark.parametrize("size", list(WindowSize))
def test_redis_equals_the_independent_count(
    stack: WholeStack, replayed: Path, size: WindowSize
) -> None:
    assert in_redis(stack, size) == count(replayed, MINUTES[size])


@pytest.mark.parametrize("size", list(WindowSize))
def test_the_totals_are_the_files(stack: WholeStack, replayed: Path, size: WindowSize) -> None:
    for found in (in_postgres(stack, size), in_redis(stack, size)):
        totals: Counter[str] = Counter()
        for (_, dimension, _, what), number in found.items():
            if dimension == "total":
                totals[what] += number
        assert totals == {"impressions": 6_000, "clicks": 1_031}
