"""The errata file: consistent after a crash, and replayable."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from producer_rows import csv_line

from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import DeadLetterReason
from roas_producer import economics
from roas_producer.errata import Errata
from roas_producer.errata_layouts import ERRATA_COLUMNS, TIME_COLUMN, CsvErrata
from roas_producer.kaggle import TRAIN_COLUMNS
from roas_producer.lines import identify
from roas_producer.rows import AdRow, BadRow
from roas_producer.sequence import Kind, Occurrence, sequence
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


MODEL = economics.load(None)


def steps(path: Path) -> list[Occurrence]:
    """Everything that a replay of a file emits."""
    found = sequence(FileSource(identify(path, None)).blocks(), MODEL)
    return [step for step in found if isinstance(step, Occurrence)]


def key(step: Occurrence) -> tuple[int, Kind, AdRow | BadRow, int, int]:
    return (step.time_ms, step.kind, step.row, step.impression_ms, step.micros)


def lose_hour(line: str) -> str:
    return line.replace(",141021", ",hour", 1)


BREAKS: list[Callable[[str], str]] = [
    lose_hour,
    lambda line: line.replace(",1,1410", ",9,1410", 1).replace(",0,1410", ",9,1410", 1),
    lambda line: "1.0e+19," + line.split(",", 1)[1],
    lambda line: line.rsplit(",", 3)[0],
    lambda line: line.replace("1fbe01fe", ""),
]


@settings(max_examples=40, deadline=None)
@given(hours=st.lists(st.integers(0, 3), min_size=1, max_size=30), data=st.data())
def test_a_bad_file_and_its_corrected_errata_are_the_corrected_file(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("errata")
    hours.sort()
    whole = [
        csv_line(number + 1, click=number % 2, hour=f"141021{hour:02d}")
        for number, hour in enumerate(hours)
    ]
    lines = list(whole)
    for number, hour in enumerate(hours):
        # The last row of an hour stays good: whose hour cannot be read is of the hour before it.
        damage = data.draw(st.sampled_from([None, *BREAKS]))
        if damage is not None and hours[number + 1 : number + 2] == [hour]:
            unreadable_first = damage is lose_hour and hours[number - 1 : number] != [hour]
            lines[number] = whole[number] if unreadable_first else damage(whole[number])
    clean, damaged = folder / "clean.csv", folder / "damaged.csv"
    for path, content in ((clean, whole), (damaged, lines)):
        path.write_text("\n".join([",".join(TRAIN_COLUMNS), *content]) + "\n")
    first = steps(damaged)
    together = [key(step) for step in first if not isinstance(step.row, BadRow)]
    bad_rows = [step.row for step in first if isinstance(step.row, BadRow)]
    if bad_rows:
        file = Errata(folder / "e.csv", CsvErrata(lambda: TRAIN_COLUMNS, timed=True))
        file.add(bad_rows)
        file.close()
        header, *written = file.path.read_text().splitlines()
        corrected = [
            f"{whole[int(cells[24]) - 2]},{cells[24]},{cells[25]},mended,{cells[27]}"
            for cells in csv.reader(written)
        ]
        file.path.write_text("\n".join([header, *corrected]) + "\n")
        together += [key(step) for step in steps(file.path)]
    assert sorted(together) == sorted(map(key, steps(clean)))


def test_an_errata_file_that_lost_a_time_says_so(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    header = ",".join([*TRAIN_COLUMNS, *ERRATA_COLUMNS, TIME_COLUMN])
    times = ["2014-10-21T00:20:00.000Z", "", "2014-10-21T00:40:00.000Z"]
    rows = [f"{csv_line(n)},{n},INVALID_CLICK,why,{time}" for n, time in enumerate(times, 1)]
    path.write_text("\n".join([header, *rows]) + "\n")
    shown = [step.time_ms for step in steps(path) if step.kind is Kind.IMPRESSION]
    assert shown == [1_413_850_800_000, 1_413_852_000_000]
    (bad_row,) = (step.row for step in steps(path) if isinstance(step.row, BadRow))
    assert "roas_event_time is ''" in bad_row.detail


def test_a_folder_that_cannot_be_written_is_named_with_the_option(tmp_path: Path) -> None:
    file = errata(tmp_path / "nowhere" / "e.csv")
    with pytest.raises(MisconfigurationError, match="--errata"):
        file.add([bad(1)])
