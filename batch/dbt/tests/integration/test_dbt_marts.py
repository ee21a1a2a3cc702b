"""The marts on a real PostgreSQL: exact, idempotent, restated, and built on after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import expected_marts
import psycopg
import pytest
from conftest import DAYS
from expected_marts import Figures, Key
from marts import Marts, wait_until
from raw_days import World, follow_up, made_up, of_avazu

from roas_contracts.read_interfaces import broken_promises, load
from roas_dbt.command import PROJECT
from roas_local.layout import current

pytestmark = pytest.mark.timeout(600)

NAMES = PROJECT / "seeds" / "campaigns.csv"
EXPECTED: dict[str, Callable[[World], dict[Key, Figures]]] = {
    "campaign_daily": lambda world: expected_marts.by_campaign(world, NAMES),
    "placement_daily": expected_marts.by_placement,
    "audience_daily": expected_marts.by_audience,
    "ctr_by_hour": expected_marts.by_hour,
}
APPROXIMATE = 2e-9
"""Figures with a square root are compared as far as they are rounded."""


@pytest.fixture(scope="module")
def labels(marts: Marts) -> Any:
    """Labels of Avazu's rows, which are in raw from the first build on; None without the file."""
    default = current().repository.parent / "shared" / "data" / "avazu"
    folder = Path(os.environ.get("ROAS_AVAZU_DIR", default))
    file = folder / "train-6000.csv"
    if not file.is_file():
        return None
    world, found = of_avazu(file)
    marts.restate(world)
    return found


@pytest.fixture(scope="module", autouse=True)
def built(marts: Marts, labels: Any) -> dict[str, Any]:
    """The first build, of whatever raw has."""
    return marts.build_all_well()


def assert_exact(marts: Marts) -> None:
    for view, expected in EXPECTED.items():
        differences = list(differing(marts.rows(view), expected(marts.world)))
        assert differences == [], view


def differing(found: dict[Key, Figures], expected: dict[Key, Figures]) -> Iterator[str]:
    for key in sorted(found.keys() ^ expected.keys(), key=str):
        yield f"{key}: {'found' if key in found else 'expected'} only"
    for key in found.keys() & expected.keys():
        for name, value in expected[key].items():
            if isinstance(value, float):
                value = pytest.approx(value, abs=APPROXIMATE)
                same = found[key][name] is not None and float(found[key][name]) == value
            else:
                same = found[key][name] == value
            if not same:
                yield f"{key} {name}: {found[key][name]} instead of {value}"


def test_every_mart_equals_what_the_events_say(marts: Marts, built: dict[str, Any]) -> None:
    assert built["days"] == [day.isoformat() for day in sorted(marts.world)]
    assert built["tests"] > 0
    assert_exact(marts)
    with marts.connect() as connection:
        current_days = connection.execute("SELECT day FROM marts_v1.days WHERE is_current")
        assert {day for (day,) in current_days} >= set(marts.world)
    assert marts.stale() == []


def test_the_attributed_ctr_is_the_share_of_the_files_labels(marts: Marts, labels: Any) -> None:
    if labels is None:
        pytest.skip("Avazu's rows are not to be had (ROAS_AVAZU_DIR): they can't be carried")
    found = {
        (day, campaign): (row["labelled_impressions"], row["attributed_clicks"])
        for (day, campaign, source, _), row in marts.rows("campaign_daily").items()
        if source == "AVAZU" and row["labelled_impressions"]
    }
    assert found == labels
    clicks = sum(
        row["clicks"]
        for (*_, source, _), row in marts.rows("campaign_daily").items()
        if source == "AVAZU"
    )
    assert clicks == sum(clicked for _, clicked in labels.values())


def test_the_same_days_again_change_nothing(marts: Marts) -> None:
    before = marts.content()
    report = marts.build_all_well("--days", f"{DAYS[0]}..{DAYS[-1]}")
    assert len(report["days"]) == len(DAYS)
    assert marts.content() == before


def test_a_restated_day_changes_itself_and_what_depends_on_it_though_the_build_is_killed(
    marts: Marts,
) -> None:
    untouched, before, restated, emptied = DAYS[0], DAYS[1], DAYS[2], DAYS[3]
    late = deepcopy(marts.world[restated])
    shown = marts.world[before].impressions
    # A click of an impression of the day before is gone, others have come late.
    late.clicks = [click for click in late.clicks if click.impression_day == restated]
    late.clicks += [
        replace(follow_up(event, f"late-{number}", 100_000_000), cost_micros=7)
        for number, event in enumerate(shown[:20])
        if (event.time + timedelta(milliseconds=100_000_000)).date() == restated
    ]
    late.impressions = late.impressions[1:]
    assert late.clicks != marts.world[restated].clicks
    marts.restate({restated: late, emptied: type(late)()})
    assert marts.stale() == [restated.isoformat(), emptied.isoformat()]
    versions = marts.row_versions([untouched])

    with marts.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE marts.placement_daily IN ACCESS EXCLUSIVE MODE")
        with marts.building():
            wait_until("the build waits for the table", lambda: blocked(marts))
    assert marts.stale() == [day.isoformat() for day in (before, restated, emptied)]

    report = marts.build_all_well()
    assert report["days"] == [restated.isoformat(), emptied.isoformat()]
    assert before.isoformat() in report["changed_days"]
    assert untouched.isoformat() not in report["changed_days"]
    assert_exact(marts)
    assert marts.row_versions([untouched]) == versions
    assert marts.stale() == []


def blocked(marts: Marts) -> bool:
    with marts.connect() as connection:
        waiting = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND relation = 'marts.placement_daily'::regclass"
        ).fetchone()
        return waiting != (0,)


@contextmanager
def damaged(marts: Marts) -> Iterator[None]:
    """One row too few or a figure too many in each layer, of the days built last."""
    with marts.connect() as connection:
        for statement in (
            "UPDATE batch.days SET clicks = clicks + 1 WHERE day = %s",
            "DELETE FROM intermediate.int_hourly_attributed_clicks WHERE ctid = (SELECT min(ctid)"
            " FROM intermediate.int_hourly_attributed_clicks WHERE event_day = %s)",
            "INSERT INTO intermediate.int_hourly_events"
            " SELECT * FROM intermediate.int_hourly_events WHERE event_day = %s",
            "UPDATE intermediate.int_hourly_ctr SET clicks = clicks + 1"
            " WHERE day = %s AND dimension = 'banner_pos' AND value = '7'",
            "UPDATE marts.campaign_daily SET attributed_clicks = attributed_clicks + 1"
            " WHERE day = %s AND campaign_id = 'c2'",
            "UPDATE marts.placement_daily SET cost = cost + 0.000001"
            " WHERE day = %s AND placement_id = 'p1'",
            "DELETE FROM marts.audience_daily WHERE day = %s AND device_type = 4",
            "DELETE FROM marts.ctr_by_hour WHERE day = %s AND dimension = 'total'",
        ):
            cursor = connection.execute(statement.encode(), (DAYS[2],))
            assert cursor.rowcount > 0, statement
    yield
    with marts.connect() as connection:
        connection.execute("UPDATE batch.days SET clicks = clicks - 1 WHERE day = %s", (DAYS[2],))


def test_every_conservation_test_finds_its_damage_and_a_build_mends_all_but_raw(
    marts: Marts,
) -> None:
    with damaged(marts):
        done = marts.run("test", "--exclude-resource-type", "unit_test")
        assert done.returncode == 1, done.stdout
        assert failed_tests(marts) == {
            "raw_has_the_rows_of_batch_days",
            "no_click_is_lost_into_int_hourly_attributed_clicks",
            "no_click_is_lost_into_int_hourly_events",
            "no_conversion_is_lost_into_int_hourly_events",
            "no_cost_is_lost_into_int_hourly_events",
            "no_impression_is_lost_into_int_hourly_events",
            "nothing_is_lost_into_audience_daily",
            "nothing_is_lost_into_campaign_daily",
            "nothing_is_lost_into_ctr_by_hour",
            "nothing_is_lost_into_placement_daily",
            "nothing_is_lost_into_any_dimension_of_int_hourly_ctr",
            "what_is_attributed_is_counted_once",
        }
        exit_code, report = marts.build("--days", str(DAYS[2]))
        assert exit_code == 1
        (failure,) = report["failed"]
        assert failure["node"] == "raw_has_the_rows_of_batch_days"
        assert failure["failing_rows"] == 1
        assert "built_days" in report["skipped"]
        assert marts.stale() != []


def failed_tests(marts: Marts) -> set[str]:
    results = json.loads((marts.state / "target" / "run_results.json").read_text())
    return {
        each["unique_id"].split(".")[2]
        for each in results["results"]
        if each["status"] not in ("pass", "success")
    }


def test_the_units_of_the_project_are_right(marts: Marts) -> None:
    done = marts.run("test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout
    assert "ERROR=0" in done.stdout
    assert "PASS=0" not in done.stdout


def test_a_second_build_beside_the_first_is_refused(marts: Marts) -> None:
    with (marts.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = marts.run("build")
    assert done.returncode == 3
    assert f"another build is running in {marts.state}" in done.stderr


def test_a_build_from_elsewhere_is_refused_too(marts: Marts) -> None:
    with marts.connect() as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(7041777)")
        done = marts.run("build")
    assert done.returncode == 3
    assert "another build is running on this PostgreSQL" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "exit_code", "said"),
    [
        (["--days", "1999-01-01"], {}, 2, "--days 1999-01-01: raw has no such whole day"),
        (["--days", "tomorrow"], {}, 2, "--days 'tomorrow': a day looks like"),
        ([], {"ROAS_DBT_POSTGRES_DSN": "host=127.0.0.1 port=1 user=u dbname=d"}, 3, "not answer"),
        ([], {"ROAS_DBT_PROGRAM": "/nowhere/dbt"}, 2, "ROAS_DBT_PROGRAM"),
    ],
    ids=["no such day", "no day", "PostgreSQL away", "no dbt"],
)
def test_what_can_not_be_built_is_one_sentence(
    marts: Marts, arguments: list[str], settings: dict[str, str], exit_code: int, said: str
) -> None:
    done = marts.run("build", *arguments, **settings)
    assert done.returncode == exit_code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_without_its_tables_says_what_to_do(marts: Marts) -> None:
    with marts.connect() as connection:
        connection.execute("CREATE DATABASE bare")
    done = marts.run("build", ROAS_DBT_POSTGRES_DSN=marts.dsn.rpartition("/")[0] + "/bare")
    assert done.returncode == 2
    assert "infra/postgres/migrations" in done.stderr


def offered(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Columns of the read interface, with their types."""
    columns = connection.execute(
        "SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'marts_v1'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
    )
    return dict(columns.fetchall())


def test_readers_get_what_the_read_interface_promises_and_nothing_undeclared(marts: Marts) -> None:
    promised = load("marts_v1").promises
    with marts.connect() as connection:
        assert offered(connection) == promised
        with connection.transaction(force_rollback=True):
            connection.execute("ALTER VIEW marts_v1.campaign_daily RENAME COLUMN roas TO return")
            broken = list(broken_promises(promised, offered(connection)))
            assert broken == ["campaign_daily.roas (numeric(38,9)) is gone"]


def test_everything_a_reader_meets_is_described(marts: Marts) -> None:
    with marts.connect() as connection:
        undescribed = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace IN ('marts'::regnamespace, 'marts_v1'::regnamespace)"
            " AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped"
            " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
        ).fetchall()
    assert undescribed == []


def test_the_sql_is_well_formed(marts: Marts) -> None:
    done = marts.run("lint")
    assert done.returncode == 0, done.stdout


def test_made_up_days_have_what_the_tests_are_about(marts: Marts) -> None:
    world = made_up(DAYS, seed=7)
    clicks = [click for raw in world.values() for click in raw.clicks]
    assert any(click.impression_day < click.time.date() for click in clicks)
    found = expected_marts.by_campaign(world, NAMES).values()
    assert any(row["roas"] is None for row in found)
    assert any(row["cpc"] is None and row["ctr"] is not None for row in found)
    hours = expected_marts.by_hour(world).values()
    assert any(row["ctr"] is None for row in hours)
    assert any(row["ctr"] is not None and row["ctr_low"] is None for row in hours)
