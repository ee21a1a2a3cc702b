"""Logs of the processes."""

from pathlib import Path

import pytest

from roas_contracts.errors import InputError
from roas_local.log_view import find_logs, show, tail


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kafka.log").write_text("".join(f"line {number}\n" for number in range(100)))
    (tmp_path / "redis.log").write_text("only one, unfinished")
    return tmp_path


def test_one_service_or_all(folder: Path) -> None:
    assert [log.stem for log in find_logs(folder, None)] == ["kafka", "redis"]
    assert [log.stem for log in find_logs(folder, "redis")] == ["redis"]


def test_an_unknown_service_is_told_what_there_is(folder: Path) -> None:
    with pytest.raises(InputError, match="kafka, redis"):
        find_logs(folder, "postgers")


def test_before_the_first_start_there_are_no_logs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was started yet"):
        find_logs(tmp_path / "absent", None)


def test_the_tail_is_the_end(folder: Path) -> None:
    assert tail(folder / "kafka.log", 2) == ["line 98", "line 99"]
    assert tail(folder / "redis.log", 5) == ["only one, unfinished"]
    assert tail(folder / "kafka.log", 0) == []


def test_several_logs_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(find_logs(folder, None), 1, follow=False)
    assert capsys.readouterr().out == "kafka | line 99\nredis | only one, unfinished\n"
