"""Settings fail by name, and never show what may be secret."""

import json
import subprocess
import sys

import pytest
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service import logs
from roas_contracts.service.settings import load, variable_names


class ProbeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROAS_PROBE_")

    kafka_bootstrap: str
    health_port: int = Field(0, ge=0, le=65535)
    token: SecretStr = SecretStr("")
    hosts: list[str] = []


class Pair(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROAS_PAIR_")

    low: int = 1
    high: int = 2

    @model_validator(mode="after")
    def _ordered(self) -> "Pair":
        if self.low > self.high:
            raise ValueError("ROAS_PAIR_LOW must not be above ROAS_PAIR_HIGH")
        return self


@pytest.fixture(autouse=True)
def _kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_PROBE_KAFKA_BOOTSTRAP", "127.0.0.1:29092")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_PROBE_HEALTH_PORT", "28101")
    settings = load(ProbeSettings)
    assert settings.kafka_bootstrap == "127.0.0.1:29092"
    assert settings.health_port == 28101


def test_a_command_line_option_wins_if_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_PROBE_HEALTH_PORT", "1")
    assert load(ProbeSettings, health_port=2).health_port == 2
    assert load(ProbeSettings, health_port=None).health_port == 1


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROAS_PROBE_KAFKA_BOOTSTRAP")
    with pytest.raises(MisconfigurationError, match="ROAS_PROBE_KAFKA_BOOTSTRAP: Field required"):
        load(ProbeSettings)


def test_every_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROAS_PROBE_KAFKA_BOOTSTRAP")
    monkeypatch.setenv("ROAS_PROBE_HEALTH_PORT", "no-number-4711")
    with pytest.raises(MisconfigurationError) as caught:
        load(ProbeSettings)
    assert "ROAS_PROBE_KAFKA_BOOTSTRAP: " in str(caught.value)
    assert "ROAS_PROBE_HEALTH_PORT: " in str(caught.value)
    assert "4711" not in str(caught.value)


def test_a_list_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_PROBE_HOSTS", "a,b")
    with pytest.raises(MisconfigurationError, match="hosts"):
        load(ProbeSettings)


def test_a_check_over_several_fields_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_PAIR_LOW", "3")
    with pytest.raises(MisconfigurationError, match="ROAS_PAIR_LOW must not be above"):
        load(Pair)


def test_the_variables_of_a_class() -> None:
    assert variable_names(Pair) == {"low": "ROAS_PAIR_LOW", "high": "ROAS_PAIR_HIGH"}


LOGGING = """
import logging, structlog
from roas_contracts.service import logs
logs.configure("probe", "1.2.3")
structlog.get_logger("ours").info("counted", rows=3)
structlog.get_logger("ours").debug("not shown")
logging.getLogger("theirs").warning("careful %s", "now")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("broken")
"""


def test_logs_are_json_lines_on_stderr() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""
    ours, theirs, broken = (json.loads(line) for line in done.stderr.splitlines())
    assert (ours["event"], ours["rows"], ours["level"]) == ("counted", 3, "info")
    assert (ours["service"], ours["version"], ours["logger"]) == ("probe", "1.2.3", "ours")
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"]) == ("careful now", "warning")
    assert theirs["service"] == "probe"
    assert broken["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_a_bad_log_level_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.LEVEL_VARIABLE, "loud")
    with pytest.raises(MisconfigurationError, match="ROAS_LOG_LEVEL"):
        logs.configure("probe", "1")


MISSPELT = """
from roas_contracts.service import logs
from roas_contracts.service.settings import load
from pydantic_settings import BaseSettings, SettingsConfigDict
class S(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROAS_PROBE_")
    health_port: int = 0
logs.configure("probe", "1")
load(S)
"""


def test_a_misspelt_variable_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROAS_PROBE_KAFKA_BOOTSTRAP")
    monkeypatch.setenv("ROAS_PROBE_HAELTH_PORT", "1")
    done = subprocess.run(
        [sys.executable, "-c", MISSPELT], capture_output=True, text=True, timeout=60, check=True
    )
    (line,) = (json.loads(text) for text in done.stderr.splitlines())
    assert line["level"] == "warning"
    assert line["setting"] == "ROAS_PROBE_HAELTH_PORT"
    assert line["did_you_mean"] == "ROAS_PROBE_HEALTH_PORT"
