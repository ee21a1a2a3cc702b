"""A backup of the registry is what was written, or it is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from roas_batch.maintain.registry_backup import read, write
from roas_contracts.errors import InputError

CONTENT = {
    "format": 1,
    "versions": [
        {"subject": "a", "version": 1, "id": 7, "type": "AVRO", "schema": '"ü"', "references": []}
    ],
    "modes": {"a": "FULL_TRANSITIVE"},
    "default_mode": "NONE",
}


def test_a_backup_reads_as_it_was_written_and_the_same_content_gives_the_same_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "deep" / "backup.json"
    first = write(path, CONTENT)
    before = path.read_bytes()
    assert read(path) == CONTENT
    assert (write(path, CONTENT), path.read_bytes()) == (first, before)
    assert [each.name for each in path.parent.iterdir()] == ["backup.json"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no backup"),
        ("[]", "no backup"),
        ('{"registry": "{}"}', "no backup"),
        (json.dumps({"registry": "{}", "sha256": "0"}), "damaged"),
    ],
)
def test_what_is_no_backup_or_damaged_is_refused_by_name(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "backup.json"
    path.write_text(text)
    with pytest.raises(InputError, match=why) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_changed_id_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    write(path, CONTENT)
    path.write_text(path.read_text().replace('\\"id\\": 7', '\\"id\\": 8'))
    with pytest.raises(InputError, match="damaged"):
        read(path)
