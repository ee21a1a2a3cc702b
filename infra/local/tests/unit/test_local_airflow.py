"""Airflow's configuration: private, on loopback, and the same after each start."""

import configparser
import json
import stat
from pathlib import Path

import pytest

from roas_local.components.airflow_home import ADMIN, AirflowHome, AirflowPorts, database_url
from roas_local.ports import Port


@pytest.fixture()
def home(tmp_path: Path) -> AirflowHome:
    return AirflowHome(tmp_path / "airflow")


def write(home: AirflowHome) -> configparser.ConfigParser:
    home.write(
        dags=Path("/checkout/batch/airflow/dags"),
        database="postgresql://roas:p%40ss@127.0.0.1:15432/roas",
        ports=AirflowPorts(Port(18110), Port(18111)),
        workers=3,
    )
    parser = configparser.ConfigParser()
    parser.read_string(home.config.read_text())
    return parser


def test_what_is_secret_is_for_the_owner_only_and_stays_the_same(home: AirflowHome) -> None:
    write(home)
    first = home.secrets()
    for file in home.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    write(home)
    assert home.secrets() == first
    assert json.loads(home.passwords.read_text()) == {ADMIN: first.admin_password}
    assert AirflowHome(home.folder.with_name("another")).secrets() != first


def test_everything_is_on_loopback_and_tasks_find_the_api_where_it_is(home: AirflowHome) -> None:
    config = write(home)
    assert config["api"]["host"] == "127.0.0.1"
    assert config["scheduler"]["scheduler_health_check_server_host"] == "127.0.0.1"
    assert config["core"]["execution_api_server_url"] == "http://127.0.0.1:18110/execution/"
    assert config["core"]["load_examples"] == "False"
    assert config["core"]["parallelism"] == "3"


def test_airflow_has_a_database_and_a_role_of_its_own(home: AirflowHome) -> None:
    config = write(home)
    password = home.secrets().database_password
    assert config["database"]["sql_alchemy_conn"] == (
        f"postgresql+psycopg://airflow:{password}@127.0.0.1:15432/airflow"
    )


def test_a_password_that_has_to_be_escaped_survives_the_configuration_file() -> None:
    url = database_url("postgresql://roas:x@127.0.0.1:1/roas", "a%/b@c")
    assert url == "postgresql+psycopg://airflow:a%25%2Fb%40c@127.0.0.1:1/airflow"
