"""The traceback of a defect."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from roas_local import defect_log


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_defect_is_in_the_file_with_its_traceback_and_not_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home" / "roas.log"
    defect_log.configure(path)
    assert not path.exists()
    logger = structlog.get_logger("x").bind()
    try:
        raise ValueError("the cause")
    except ValueError:
        logger.exception("unexpected error", incident="abc")
    logger._logger._file.close()
    event = json.loads(path.read_text())
    assert event["incident"] == "abc"
    assert "ValueError: the cause" in event["exception"]
    assert capsys.readouterr() == ("", "")
