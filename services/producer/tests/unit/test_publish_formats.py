"""CSV, JSON lines and Parquet as people have them: damaged rows are rows, damaged files are not."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from publish_files import read

from roas_contracts.errors import InputError, MisconfigurationError, PoisonError
from roas_contracts.events import DeadLetterReason
from roas_producer.errata_layouts import CsvErrata, JsonErrata
from roas_producer.lines import MAX_LINE_BYTES
from roas_producer.publish.formats import Format, format_of
from roas_producer.publish.parquet_rows import rendered
from roas_producer.publish.rows import FileRow
from roas_producer.rows import BadRow


def written(folder: Path, content: bytes | str, name: str = "ads.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problem(row: FileRow) -> str:
    assert isinstance(row.cells, PoisonError)
    return row.cells.detail


def test_csv_with_a_byte_order_mark_quotes_line_ends_and_windows_lines(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfid,"na""me"\r\n1,"a, b"\r\n\r\n2,"two\r\nlines"\r\n3,x\r\n'
    rows = read(written(tmp_path, content))
    assert [(row.number, row.cells) for row in rows] == [
        (2, {"id": "1", 'na"me': "a, b"}),
        (4, {"id": "2", 'na"me': "two\nlines"}),
        (6, {"id": "3", 'na"me': "x"}),
    ]
    assert rows[1].raw() == b'2,"two\nlines"'


def test_a_forgotten_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = ["id,name", '1,"open', *(f"{number},x" for number in range(2, 300))]
    rows = read(written(tmp_path, "\n".join(lines)))
    assert "quoting" in problem(rows[0])
    assert rows[0].raw() == b'1,"open'
    assert [row.number for row in rows] == list(range(2, 301))
    assert all(not isinstance(row.cells, PoisonError) for row in rows[1:])


def test_rows_of_the_wrong_width_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    rows = read(written(tmp_path, b"a,b,c\n1,2\n1,2,3,4\n1,\xff,3\n1,2,3"))
    assert "'c' and what follows is missing" in problem(rows[0])
    assert "4 columns where the header has 3" in problem(rows[1])
    assert "byte 3 of the row is not UTF-8" in problem(rows[2])
    assert rows[3].cells == {"a": "1", "b": "2", "c": "3"}


def test_other_delimiters(tmp_path: Path) -> None:
    expected = {"a": "1", "b": "2,5"}
    assert read(written(tmp_path, "a;b\n1;2,5\n"), ";")[0].cells == expected
    assert read(written(tmp_path, "a\tb\n1\t2,5\n", "ads.tsv"))[0].cells == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ads.csv", b"", "empty"),
        ("ads.csv", b"a,b,a\n1,2,3\n", "the column 'a' is there twice"),
        ("ads.csv", b"a\xff,b\n", "the header is not CSV"),
        ("ads.csv", b"PAR1....", "is a Parquet file"),
        ("ads.csv", b"a\n" + b"x" * (MAX_LINE_BYTES + 1), "line 2: longer than"),
        ("ads.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-20], "the gzip file is damaged"),
        ("ads.jsonl", b"", "empty"),
        ("ads.jsonl", b'[{"a": 1}]\n', "one JSON array"),
        ("ads.parquet", b"id,name\n", "cannot be read as Parquet"),
        ("ads.parquet", b"", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(InputError) as refusal:
        read(written(tmp_path, content, name))
    assert name in str(refusal.value)
    assert said in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a,b\n")) == []


def test_json_lines_keep_digits_and_reach_into_objects(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"id": 12345678901234567890, "cost": 0.10, "d": {"os": {"v": 7}}}\n\n'
    (row,) = read(written(tmp_path, content, "ads.jsonl"))
    cells = row.cells
    assert not isinstance(cells, PoisonError)
    assert (cells["id"], cells["cost"]) == (12345678901234567890, Decimal("0.10"))
    assert cells["d.os.v"] == 7
    assert cells.get("d.os.none") is None
    with pytest.raises(KeyError):
        cells["d.os.none"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON"),
        (b"7", "not a JSON object"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1, "a": 2}', "a key is there twice"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_of_json(tmp_path: Path, line: bytes, said: str) -> None:
    rows = read(written(tmp_path, b'{"a": 1}\n' + line + b"\n", "ads.jsonl"))
    assert said in problem(rows[1])
    assert rows[1].raw() == line


def test_parquet_keeps_types_and_shows_rows_as_json(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 3, 0, 5, 123000, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "id": ["i-1", None],
            "at": [moment, moment],
            "cost": [Decimal("0.25"), None],
            "raw": [b"\x01", b""],
        }
    )
    path = tmp_path / "ads.parquet"
    frame.write_parquet(path)
    rows = read(path)
    assert [row.number for row in rows] == [1, 2]
    cells = rows[0].cells
    assert not isinstance(cells, PoisonError)
    assert cells["at"] == moment
    assert rows[0].raw() == (
        b'{"id": "i-1", "at": "2026-03-01T03:00:05.123000+00:00", "cost": "0.25", "raw": "01"}'
    )
    assert rendered({"x": None}) == b'{"x": null}'


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ads.parquet"
    pl.DataFrame({"id": list(range(100_000))}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"ads\.parquet cannot be read as Parquet"):
        read(path)


def test_the_name_tells_the_format_or_nobody_does() -> None:
    assert format_of(Path("a.b.CSV.gz"), None) is Format.CSV
    assert format_of(Path("a.ndjson"), None) is Format.JSONL
    assert format_of(Path("a.xlsx"), Format.CSV) is Format.CSV
    with pytest.raises(MisconfigurationError, match="--format"):
        format_of(Path("a.xlsx"), None)
    with pytest.raises(MisconfigurationError, match="--format"):
        format_of(Path("-"), None)


def bad(raw: bytes) -> BadRow:
    return BadRow(7, DeadLetterReason.INVALID_FIELD, 'a "detail"', raw)


def test_errata_lines_are_the_row_and_why() -> None:
    csv = CsvErrata(lambda: ["id", "name"], ";")
    assert csv.header() == b"id;name;roas_line;roas_reason;roas_detail\n"
    assert csv.line(bad(b'1;"a;b"')) == b'1;"a;b";7;INVALID_FIELD;"a ""detail"""\n'
    json = JsonErrata()
    assert json.header() == b""
    why = b'"roas_line": 7, "roas_reason": "INVALID_FIELD", "roas_detail": "a \\"detail\\""}\n'
    assert json.line(bad(b'{"id": 1.10, "n": {"x": [1e5, null]}}')) == (
        b'{"id": 1.10, "n": {"x": [1e5, null]}, ' + why
    )
    assert json.line(bad(b"{oops")) == b'{"roas_raw": "{oops", ' + why
    again = json.line(bad(json.line(bad(b'{"id": 1}'))))
    assert again == b'{"id": 1, ' + why
