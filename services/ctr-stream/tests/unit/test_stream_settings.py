from pathlib import Path

import pytest

from roas_contracts.errors import MisconfigurationError
from roas_contracts.service.settings import load
from roas_ctr_stream.settings import Settings
from roas_ctr_stream.submission import options

NEEDED = {
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "REGISTRY_URL": "http://127.0.0.1:8081/apis/ccompat/v7/",
    "FLINK_URL": "http://127.0.0.1:8082",
    "JARS": "",
    "CHECKPOINTS": "/checkpoints",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.touch()
    for name, value in {**NEEDED, "JARS": f"{jar}:"}.items():
        monkeypatch.setenv(f"ROAS_CTR_STREAM_{name}", value)


def test_the_defaults_are_usable(tmp_path: Path) -> None:
    settings = load(Settings)
    assert settings.registry_url == "http://127.0.0.1:8081/apis/ccompat/v7"
    assert settings.savepoint_directory == Path("/savepoints")
    assert settings.jar_paths() == [tmp_path / "a.jar"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"ROAS_CTR_STREAM_{name}")
    with pytest.raises(MisconfigurationError, match=f"ROAS_CTR_STREAM_{name}"):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLINK_URL", "127.0.0.1:8082"),
        ("CURRENCY", "dollars"),
        ("PARALLELISM", "0"),
        ("TRANSACTION_TIMEOUT_MS", "900001"),
        ("ON_STOP", "explode"),
        ("OUT_OF_ORDERNESS_MS", "-1"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ROAS_CTR_STREAM_{name}", value)
    with pytest.raises(MisconfigurationError, match=f"ROAS_CTR_STREAM_{name}"):
        load(Settings)


def test_a_jar_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_CTR_STREAM_JARS", "/nowhere/job.jar")
    with pytest.raises(MisconfigurationError, match=r"/nowhere/job\.jar"):
        load(Settings).jar_paths()


def test_what_exactly_once_rests_on_is_in_the_jobs_options() -> None:
    chosen = options(load(Settings), "/checkpoints/job/chk-1", "ab" * 16)
    assert chosen["execution.checkpointing.mode"] == "EXACTLY_ONCE"
    assert chosen["execution.checkpointing.externalized-checkpoint-retention"] == (
        "RETAIN_ON_CANCELLATION"
    )
    assert chosen["execution.state-recovery.path"] == "/checkpoints/job/chk-1"
    assert chosen["execution.checkpointing.dir"] == "file:///checkpoints"
    assert "execution.state-recovery.path" not in options(load(Settings), None, None)
