"""Which migrations are applied."""

from pathlib import Path

import pytest

from roas_contracts.errors import MisconfigurationError
from roas_local.migrate import Migration, load_migrations, pending

FIRST = Migration(1, "001_first.sql", "SELECT 1")
SECOND = Migration(2, "002_second.sql", "SELECT 2")


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "002_second.sql").write_text("SELECT 2")
    (tmp_path / "001_first.sql").write_text("SELECT 1")
    (tmp_path / "README.md").write_text("not a migration")
    assert load_migrations(tmp_path) == [FIRST, SECOND]


@pytest.mark.parametrize("name", ["1_first.sql", "001-first.sql", "001_First.sql", "first.sql"])
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MisconfigurationError, match="NNN_name"):
        load_migrations(tmp_path)


@pytest.mark.parametrize("numbers", [("002",), ("001", "003"), ("000", "001")])
def test_a_gap_is_refused(tmp_path: Path, numbers: tuple[str, ...]) -> None:
    for number in numbers:
        (tmp_path / f"{number}_x.sql").write_text("SELECT 1")
    with pytest.raises(MisconfigurationError, match="without a gap"):
        load_migrations(tmp_path)


def test_only_what_was_not_applied_is_pending() -> None:
    assert pending([FIRST, SECOND], {}) == [FIRST, SECOND]
    assert pending([FIRST, SECOND], {1: FIRST.sha256}) == [SECOND]
    assert pending([FIRST, SECOND], {1: FIRST.sha256, 2: SECOND.sha256}) == []


def test_a_file_changed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(MisconfigurationError, match=r"001_first\.sql was changed"):
        pending([FIRST], {1: SECOND.sha256})


def test_a_database_of_a_newer_version_is_refused() -> None:
    with pytest.raises(MisconfigurationError, match="newer version"):
        pending([FIRST], {1: FIRST.sha256, 2: SECOND.sha256})
