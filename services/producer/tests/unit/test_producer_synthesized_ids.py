"""Files whose ids have lost digits, taken knowingly."""

from __future__ import annotations

from pathlib import Path

from producer_rows import csv_line

from roas_producer.kaggle import TRAIN_COLUMNS
from roas_producer.lines import identify
from roas_producer.rows import AdRow, BadRow
from roas_producer.sources import FileSource


def mangled(folder: Path, name: str, rows: int = 200) -> Path:
    """A copy whose ids went through a float: a spreadsheet made one of four hundred."""
    ids = [10**18 + number for number in range(rows)]
    lines = [f"{float(one):.2e},{csv_line(0).split(',', 1)[1]}" for one in ids]
    path = folder / name
    path.write_text("\n".join([",".join(TRAIN_COLUMNS), *lines]) + "\n")
    return path


def read(path: Path, synthesize: bool) -> tuple[list[AdRow], list[BadRow]]:
    source = FileSource(identify(path, None), synthesize)
    blocks = [(list(block.rows), list(block.bad)) for block in source.blocks()]
    return [r for rows, _ in blocks for r in rows], [r for _, bad in blocks for r in bad]


def test_without_the_option_they_are_bad_rows_that_say_why(tmp_path: Path) -> None:
    rows, bad = read(mangled(tmp_path, "train.csv"), synthesize=False)
    assert (len(rows), len(bad)) == (0, 200)
    assert bad[0].detail == "id is '1.00e+18', not a decimal of at most 64 bits"


def test_with_it_every_row_has_an_id_of_its_own_the_same_in_every_run(tmp_path: Path) -> None:
    rows, bad = read(mangled(tmp_path, "train.csv"), synthesize=True)
    assert (len(rows), len(bad)) == (200, 0)
    ids = [row.id for row in rows]
    assert len(set(ids)) == 200
    assert all(int(one) < 2**64 for one in ids)
    copy, _ = read(mangled(tmp_path, "renamed.csv"), synthesize=True)
    assert [row.id for row in copy] == ids
    other, _ = read(mangled(tmp_path, "other.csv", rows=199), synthesize=True)
    assert not {row.id for row in other} & set(ids)
