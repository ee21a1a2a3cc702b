"""The errata file: consistent after a crash, and replayable."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from producer_rows import csv_line

from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import DeadLetterReason
from roas_producer.errata import Errata
from roas_producer.errata_layouts import ERRATA_COLUMNS, CsvErrata
from roas_producer.kaggle import TRAIN_COLUMNS
from roas_producer.lines import identify
from roas_producer.rows import BadRow
from roas_producer.sources import FileSource


def errata(path: Path) -> Errata:
    return Errata(path, CsvErrata(lambda: TRAIN_COLUMNS))


def bad(line: int, raw: str = "") -> BadRow:
    text = raw or csv_line(line, click="x")
    return BadRow(line, DeadLetterReason.INVALID_CLICK, "click is 'x', not 0 or 1", text.encode())


def test_no_bad_row_no_file(tmp_path: Path) -> None:
    file = errata(tmp_path / "e.csv")
    assert file.resume(0)
    file.close()
    assert not file.path.exists()


def test_rows_keep_their_columns_and_say_why(tmp_path: Path) -> None:
    file = errata(tmp_path / "e.csv")
    file.add([bad(7)])
    file.close()
    header, row = file.path.read_text().splitlines()
    assert header.split(",") == TRAIN_COLUMNS + ERRATA_COLUMNS
    assert row == csv_line(7, click="x") + ",7,INVALID_CLICK,\"click is 'x', not 0 or 1\""


@settings(max_examples=30)
@given(committed=st.integers(1, 20), ahead=st.integers(0, 10), torn=st.booleans())
def test_what_was_not_committed_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, committed: int, ahead: int, torn: bool
) -> None:
    path = tmp_path_factory.mktemp("errata") / "e.csv"
    whole, cut = errata(path), errata(path)
    whole.add([bad(line) for line in range(committed)])
    expected = path.read_bytes()
    whole.add([bad(line) for line in range(committed, committed + ahead)])
    whole.close()
    if torn:
        path.write_bytes(path.read_bytes() + b"123,half a li")
    assert cut.resume(committed)
    assert path.read_bytes() == expected
    cut.add([bad(99)])
    cut.close()
    assert path.read_bytes().startswith(expected)
    assert path.read_text().splitlines()[-1].startswith("99,x,")


def test_a_file_that_is_gone_or_behind_is_written_again(tmp_path: Path) -> None:
    file = errata(tmp_path / "e.csv")
    assert not file.resume(2)
    file.add([bad(1)])
    file.close()
    again = errata(file.path)
    assert not again.resume(2)
    again.add([bad(1), bad(2)], sync=False)
    again.add([bad(3)])
    again.close()
    assert [line.split(",")[0] for line in file.path.read_text().splitlines()[1:]] == list("123")


def test_a_new_run_keeps_a_persons_corrections(tmp_path: Path) -> None:
    file = errata(tmp_path / "e.csv")
    file.path.write_text("corrected")
    assert file.resume(0)
    assert (tmp_path / "e.csv.previous").read_text() == "corrected"
    assert not file.path.exists()


@pytest.mark.parametrize(
    "raw", ["short,row", "", "a,b," * 20, 'open "quote, here', "a\rb", "1,\x00"]
)
def test_any_raw_row_is_one_line_of_the_right_width(tmp_path: Path, raw: str) -> None:
    file = errata(tmp_path / "e.csv")
    row = BadRow(3, DeadLetterReason.INVALID_FIELD, 'two\nlines, and "quotes"', raw.encode())
    file.add([row, row])
    file.close()
    content = file.path.read_bytes()
    assert content.count(b"\n") == 3
    assert file.resume(2)
    assert file.path.read_bytes() == content


def test_a_corrected_errata_file_replays(tmp_path: Path) -> None:
    file = errata(tmp_path / "e.csv")
    file.add([bad(11), bad(12)])
    file.close()
    file.path.write_text(file.path.read_text().replace("11,x,", "11,1,"))
    rows, lines = [], []
    for block in FileSource(identify(file.path, None)).blocks():
        rows += [(row.id, row.click) for row in block.rows]
        lines += [row.line for row in block.bad]
    assert rows == [("11", True)]
    assert lines == [3]


def test_a_folder_that_cannot_be_written_is_named_with_the_option(tmp_path: Path) -> None:
    file = errata(tmp_path / "nowhere" / "e.csv")
    with pytest.raises(MisconfigurationError, match="--errata"):
        file.add([bad(1)])
