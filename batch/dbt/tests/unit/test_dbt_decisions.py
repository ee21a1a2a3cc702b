"""What is decided before and after dbt runs: days, its environment, its account."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from roas_contracts.errors import InputError, MisconfigurationError
from roas_dbt.command import environment
from roas_dbt.days import parse_days
from roas_dbt.results import Failure, read_results
from roas_dbt.settings import DbtSettings

DAY = date(2014, 10, 21)


def settings(dsn: str, **changes: Any) -> DbtSettings:
    return DbtSettings(
        postgres_dsn=SecretStr(dsn), program=Path("dbt"), state=Path("/state"), **changes
    )


def result(unique_id: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "status": status,
        "execution_time": 0.5,
        "failures": None,
        "message": None,
        **changes,
    }


def test_days_and_ranges_are_put_in_order_each_once() -> None:
    named = parse_days(["2014-10-23,2014-10-21", "2014-10-22..2014-10-23"])
    assert named == [date(2014, 10, 21), date(2014, 10, 22), date(2014, 10, 23)]
    assert parse_days([]) == []


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2014-02-30", "2014-10-22..2014-10-21", "2000-01-01..2014-01-01"]
)
def test_what_is_no_day_is_named(text: str) -> None:
    with pytest.raises(InputError, match=f"--days '{text}'"):
        parse_days([text])


def test_the_password_goes_where_dbt_keeps_it_out_of_its_logs() -> None:
    env = environment(settings("postgresql://roas:p%40ss@10.0.0.1:5433/marts"), {"HOME": "/h"})
    assert env["DBT_ENV_SECRET_ROAS_PASSWORD"] == "p@ss"
    assert [name for name, value in env.items() if "p@ss" in value] == [
        "DBT_ENV_SECRET_ROAS_PASSWORD"
    ]
    assert (env["ROAS_DBT_HOST"], env["ROAS_DBT_PORT"]) == ("10.0.0.1", "5433")
    assert (env["ROAS_DBT_USER"], env["ROAS_DBT_DATABASE"]) == ("roas", "marts")
    assert env["HOME"] == "/h"


def test_dbt_writes_below_the_state_folder_only() -> None:
    env = environment(settings("postgresql://roas@h/d", work_mem_mb=16), {})
    assert env["DBT_TARGET_PATH"] == "/state/target"
    assert env["DBT_LOG_PATH"] == "/state/logs"
    assert "work_mem=16MB" in env["PGOPTIONS"]


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://h/d", "names no user"),
        ("host=h user=u", "names no dbname"),
        ("host=h nonsense", "is no connection string"),
    ],
)
def test_a_dsn_that_can_not_be_used_is_named_without_its_text(dsn: str, said: str) -> None:
    with pytest.raises(MisconfigurationError, match=f"ROAS_DBT_POSTGRES_DSN {said}") as error:
        environment(settings(dsn), {})
    assert dsn not in str(error.value)


def test_a_build_is_of_the_days_named_of_all_or_of_those_that_are_stale() -> None:
    def asked_for(*arguments: Any) -> str:
        return environment(settings("host=h user=u dbname=d"), {}, *arguments)["ROAS_DBT_DAYS"]

    assert asked_for([DAY, DAY.replace(day=22)]) == "2014-10-21,2014-10-22"
    assert asked_for([], True) == "all"
    assert asked_for() == ""


def test_a_failed_test_is_reported_with_its_rows_and_what_it_held_back() -> None:
    report = read_results(
        {
            "elapsed_time": 4.25,
            "results": [
                result("seed.roas.campaigns", "success"),
                result("model.roas.campaign_daily", "success", execution_time=2.0),
                result("test.roas.unique_x.0a1b", "pass", failures=0),
                result("test.roas.lost.0a1b", "fail", failures=3, message="Got 3\nresults"),
                result("test.roas.odd.0a1b", "warn", failures=1, message="Got 1 result"),
                result("model.roas.built_days", "skipped"),
            ],
        },
        [DAY],
        [DAY],
    )
    assert (report.models, report.tests, report.seconds) == (2, 1, 4.25)
    assert report.failed == [Failure("lost", "test", 3, "Got 3 results")]
    assert report.warned == [Failure("odd", "test", 1, "Got 1 result")]
    assert report.skipped == ["built_days"]
    assert next(iter(report.slowest.items())) == ("campaign_daily", 2.0)
    assert json.loads(json.dumps(report.as_dict()))["failed"][0]["failing_rows"] == 3


def test_a_test_that_could_not_run_has_no_number_of_rows() -> None:
    account = result("test.roas.lost.0a", "error", failures=0, message="column x does not exist")
    report = read_results({"elapsed_time": 1.0, "results": [account]}, [], [])
    (failure,) = report.failed
    assert failure.failing_rows is None
    assert not failure.lost_the_database


def test_a_database_that_went_away_is_told_from_a_model_that_is_wrong() -> None:
    message = "server closed the connection unexpectedly\n\tThis probably means the server…"
    account = result("model.roas.campaign_daily", "error", message=message)
    report = read_results({"elapsed_time": 1.0, "results": [account]}, [], [])
    assert report.failed[0].lost_the_database
