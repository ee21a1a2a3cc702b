"""Reading: plain, gzip, damaged; hours in bounded memory, forwards only."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import FIRST_HOUR_MS, csv_line

from roas_contracts.errors import InputError
from roas_producer.hours import hour_blocks
from roas_producer.kaggle import TRAIN_COLUMNS, Layout, RowParser
from roas_producer.lines import Input, identify, numbered_lines, opened
from roas_producer.rows import HOUR_MS, AdRow, BadRow, HourBlock
from roas_producer.sources import FileSource, refuse_future
from roas_producer.spool import Spool

HEADER = ",".join(TRAIN_COLUMNS)


def read(
    lines: list[str], skip_before_ms: int | None = None, in_memory: int = 5
) -> list[HourBlock]:
    numbered = ((number, line.encode()) for number, line in enumerate(lines, start=2))
    parser = RowParser(Layout(labelled=True))
    blocks = hour_blocks(numbered, parser, "train.csv", skip_before_ms, in_memory)
    return [HourBlock(b.start_ms, list(b.rows), list(b.bad)) for b in blocks]


def spooled(count: int, in_memory: int) -> Spool[tuple[int, bytes]]:
    spool = Spool(lambda line, raw: (line, raw), in_memory)
    for number in range(count):
        spool.append(number, b"x" * (number % 7), (number, b"x" * (number % 7)))
    return spool


@given(st.integers(0, 60), st.integers(1, 10))
def test_a_spool_gives_back_what_was_put_in_as_often_as_asked(count: int, in_memory: int) -> None:
    spool = spooled(count, in_memory)
    expected = [(number, b"x" * (number % 7)) for number in range(count)]
    assert len(spool) == count
    assert list(spool) == expected
    assert list(zip(spool, spool, strict=True)) == list(zip(expected, expected, strict=True))
    spool.close()
    assert len(spool) == 0


def test_a_large_hour_holds_few_objects() -> None:
    spool = spooled(25_000, in_memory=10)
    assert len(spool._items) == 10
    assert len(spool._entries) < 1_000
    assert [number for number, _ in spool] == list(range(25_000))
    spool.close()


def test_lines_are_grouped_by_hour_and_bad_rows_join_the_hour_being_read() -> None:
    blocks = read(
        [
            "broken before any hour",
            csv_line(1),
            csv_line(2, click="x"),
            csv_line(3),
            "",
            csv_line(4, hour="14102102"),
            csv_line(5, hour="nonsense"),
        ]
    )
    assert [block.start_ms for block in blocks] == [FIRST_HOUR_MS, FIRST_HOUR_MS + 2 * HOUR_MS]
    assert [[row.id for row in block.rows] for block in blocks] == [["1", "3"], ["4"]]
    assert [[row.line for row in block.bad] for block in blocks] == [[2, 4], [8]]


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 9))
def test_blocks_do_not_depend_on_what_fits_into_memory(hours: list[int], in_memory: int) -> None:
    lines = [
        csv_line(number, hour=f"141021{hour:02d}") if number % 7 else "broken"
        for number, hour in enumerate(sorted(hours))
    ]
    assert read(lines, in_memory=in_memory) == read(lines, in_memory=1_000)


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(-1, 6), st.data())
def test_skipped_hours_take_their_bad_rows_with_them(
    hours: list[int], first: int, data: st.DataObject
) -> None:
    kinds = st.sampled_from(["good", "click", "width"])
    lines = []
    for number, hour in enumerate(sorted(hours)):
        kind = data.draw(kinds)
        line = csv_line(number, click=3 if kind == "click" else 1, hour=f"141021{hour:02d}")
        lines.append(line.rsplit(",", 3)[0] if kind == "width" else line)
    bound = FIRST_HOUR_MS + first * HOUR_MS
    expected = [block for block in read(lines) if block.start_ms >= bound]
    if any(len(block.rows) for block in read(lines)):
        assert read(lines, skip_before_ms=bound) == expected


def test_hours_that_go_back_are_refused_with_file_and_line() -> None:
    with pytest.raises(InputError, match=r"train\.csv, line 4.*2014-10-21T01Z.*2014-10-21T02Z"):
        read([csv_line(1), csv_line(2, hour="14102102"), csv_line(3, hour="14102101")])


def test_only_bad_rows_still_are_a_block() -> None:
    (block,) = read(["broken", "broken too"])
    assert (len(block.rows), len(block.bad), block.start_ms) == (0, 2, 0)


def source(path: Path) -> FileSource:
    return FileSource(identify(path, None))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_plain_and_gzip_files_read_alike(tmp_path: Path, packed: bool, ending: str) -> None:
    text = ending.join([HEADER, csv_line(1), csv_line(2)]) + ending
    path = tmp_path / "train"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    for block in source(path).blocks():
        rows = list(block.rows)
        assert [row.id for row in rows] == ["1", "2"]
        assert all(isinstance(row, AdRow) for row in rows)


def test_a_torn_gzip_is_an_input_error_that_names_the_line(tmp_path: Path) -> None:
    lines = [HEADER, *(csv_line(number) for number in range(20_000))]
    path = tmp_path / "train.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode())[:-2_000])
    with pytest.raises(InputError, match=r"train\.gz, after line \d+: the gzip file is damaged"):
        list(source(path).blocks())


def test_an_absurd_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(f"{HEADER}\n".encode() + b"x" * (1 << 21))
    with pytest.raises(InputError, match="line 2: longer than"):
        list(source(path).blocks())


def test_a_file_is_known_by_its_content_and_a_stream_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("abc")
    seen: list[int] = []
    known = identify(path, None, seen.append)
    assert known == Input("train.csv", hashlib.sha256(b"abc").hexdigest(), path)
    assert sum(seen) == 3
    stream = identify(Path("-"), "live")
    assert stream == Input("live", hashlib.sha256(b"live").hexdigest(), None)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv cannot be read: No such file"):
        identify(tmp_path / "gone.csv", None)
    with pytest.raises(InputError, match="--input-name"):
        identify(Path("-"), None)


def test_lines_are_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"a\r\n\nb")
    with opened(Input("f", "", path)) as stream:
        assert list(numbered_lines(stream, "f")) == [(1, b"a"), (2, b""), (3, b"b")]


def test_hours_of_the_future_are_refused() -> None:
    blocks = [HourBlock(FIRST_HOUR_MS, []), HourBlock(FIRST_HOUR_MS + HOUR_MS, [])]
    kept = refuse_future(iter(blocks), "train.csv", lambda: FIRST_HOUR_MS)
    assert next(kept).start_ms == FIRST_HOUR_MS
    with pytest.raises(InputError, match=r"train\.csv: the hour 2014-10-21T01Z lies in the future"):
        next(kept)


def test_a_bad_row_is_a_bad_row_after_the_spool() -> None:
    (block,) = read(["broken"] * 12)
    assert all(isinstance(row, BadRow) and row.raw == b"broken" for row in block.bad)
