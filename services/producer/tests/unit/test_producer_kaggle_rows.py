"""Kaggle's format: what is a row, what is a bad row and why, what is not Kaggle's at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import MODEL_LINE, any_rows, csv_line

from roas_contracts.errors import DETAIL_MAX_CHARS, InputError
from roas_contracts.events import DeadLetterReason
from roas_producer.errata_layouts import ERRATA_COLUMNS, TIME_COLUMN
from roas_producer.kaggle import (
    TEST_COLUMNS,
    TRAIN_COLUMNS,
    Layout,
    RowParser,
    read_header,
)
from roas_producer.rows import AdRow, BadRow

TRAIN = Layout(labelled=True)
TEST = Layout(labelled=False)
GOOD = csv_line(1000009418151094273)


def parse(text: str | bytes, layout: Layout = TRAIN) -> AdRow | BadRow:
    raw = text.encode() if isinstance(text, str) else text
    return RowParser(layout).parse(7, raw)


def changed(column: str, value: str) -> str:
    fields = GOOD.split(",")
    fields[TRAIN_COLUMNS.index(column)] = value
    return ",".join(fields)


def test_a_train_row_is_typed() -> None:
    row = parse(GOOD)
    assert isinstance(row, AdRow)
    assert row.id == "1000009418151094273"
    assert row.click is False
    assert row.hour_start_ms == 1_413_849_600_000
    assert (row.banner_pos, row.device_type, row.device_conn_type) == (0, 1, 2)
    assert (row.C14, row.C15, row.C16, row.C17, row.C20, row.C21) == (
        "15706",
        320,
        50,
        "1722",
        "-1",
        "79",
    )


def test_a_test_row_has_no_label() -> None:
    fields = GOOD.split(",")
    del fields[1]
    row = parse(",".join(fields), TEST)
    assert isinstance(row, AdRow)
    assert row.click is None
    assert row[2:] == parse(GOOD)[2:]


def test_quoted_fields_are_understood() -> None:
    quoted = ",".join(f'"{field}"' for field in GOOD.split(","))
    assert parse(quoted) == parse(GOOD)


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        (changed("click", "2"), DeadLetterReason.INVALID_CLICK, "'2'"),
        (changed("click", ""), DeadLetterReason.INVALID_CLICK, "''"),
        (changed("click", "0.0"), DeadLetterReason.INVALID_CLICK, "0.0"),
        (changed("hour", "14102124"), DeadLetterReason.INVALID_HOUR, "14102124"),
        (changed("hour", "14023000"), DeadLetterReason.INVALID_HOUR, "14023000"),
        (changed("hour", "09123123"), DeadLetterReason.INVALID_HOUR, "2010"),
        (changed("hour", "2014102100"), DeadLetterReason.INVALID_HOUR, "YYMMDDHH"),
        (changed("hour", ""), DeadLetterReason.INVALID_HOUR, "''"),
        (changed("hour", "１４１０２１００"), DeadLetterReason.INVALID_HOUR, "YYMMDDHH"),
        (changed("id", "1.0000094181510942e+18"), DeadLetterReason.INVALID_ID, "e+18"),
        (changed("id", ""), DeadLetterReason.INVALID_ID, "''"),
        (changed("id", "-5"), DeadLetterReason.INVALID_ID, "-5"),
        (changed("id", "007"), DeadLetterReason.INVALID_ID, "007"),
        (changed("id", "18446744073709551616"), DeadLetterReason.INVALID_ID, "64 bits"),
        (changed("id", "９"), DeadLetterReason.INVALID_ID, "９"),
        (changed("C14", "x"), DeadLetterReason.INVALID_FIELD, "C14"),
        (changed("banner_pos", "2147483648"), DeadLetterReason.INVALID_FIELD, "banner_pos"),
        (changed("C15", "3.5"), DeadLetterReason.INVALID_FIELD, "C15"),
        (changed("C17", " 5"), DeadLetterReason.INVALID_FIELD, "C17"),
        (changed("C21", "1_000"), DeadLetterReason.INVALID_FIELD, "C21"),
        (changed("site_id", ""), DeadLetterReason.MISSING_COLUMN, "site_id"),
        (changed("C16", ""), DeadLetterReason.MISSING_COLUMN, "C16"),
        (changed("C20", ""), DeadLetterReason.MISSING_COLUMN, "C20"),
        (GOOD.rsplit(",", 1)[0], DeadLetterReason.MISSING_COLUMN, "C21"),
        ("", DeadLetterReason.MISSING_COLUMN, "1 of 24"),
        (GOOD + ",1", DeadLetterReason.INVALID_FIELD, "25 columns"),
        (changed("app_id", "x" * 257), DeadLetterReason.INVALID_FIELD, "app_id"),
        (changed("site_domain", '"open'), DeadLetterReason.INVALID_FIELD, "quoting"),
    ],
)
def test_bad_rows_say_why(text: str, reason: DeadLetterReason, said: str) -> None:
    row = parse(text)
    assert isinstance(row, BadRow)
    assert (row.reason, row.line, row.raw) == (reason, 7, text.encode())
    assert said in row.detail


def test_bytes_that_are_no_text_are_kept_as_they_are() -> None:
    raw = GOOD.encode().replace(b"1fbe01fe", b"\xff\xfe")
    row = parse(raw)
    assert isinstance(row, BadRow)
    assert (row.reason, row.raw) == (DeadLetterReason.INVALID_FIELD, raw)


@given(st.binary(max_size=400))
def test_any_bytes_become_a_row_or_a_bad_row(raw: bytes) -> None:
    row = parse(raw)
    assert isinstance(row, AdRow) or (row.raw == raw and len(row.detail) <= DETAIL_MAX_CHARS)


@given(any_rows(), st.integers(0, 23), st.text(max_size=300))
def test_one_wrong_field_never_raises(row: AdRow, at: int, value: str) -> None:
    fields = MODEL_LINE.format(id=row.id, click=1, hour="14102100").split(",")
    fields[at] = value
    parsed = parse(",".join(fields))
    assert isinstance(parsed, AdRow | BadRow)


def test_largest_and_smallest_id() -> None:
    assert isinstance(parse(changed("id", "18446744073709551615")), AdRow)
    assert isinstance(parse(changed("id", "0")), AdRow)


def test_made_ids_depend_on_file_and_line_alone() -> None:
    raw = changed("id", "1.0e+18").encode()
    one, other = RowParser(TRAIN, "file-a"), RowParser(TRAIN, "file-b")
    first = one.parse(2, raw)
    assert isinstance(first, AdRow)
    assert first == one.parse(2, raw)
    ids = {first.id, one.parse(3, raw)[0], other.parse(2, raw)[0]}
    assert len(ids) == 3
    assert all(int(str(made)) < 2**64 for made in ids)


@pytest.mark.parametrize(
    ("columns", "layout"),
    [
        (TRAIN_COLUMNS, TRAIN),
        (TEST_COLUMNS, TEST),
        ([*TRAIN_COLUMNS, *ERRATA_COLUMNS, TIME_COLUMN], Layout(labelled=True, errata=True)),
        ([*TEST_COLUMNS, *ERRATA_COLUMNS, TIME_COLUMN], Layout(labelled=False, errata=True)),
    ],
)
def test_headers_that_are_known(columns: list[str], layout: Layout) -> None:
    assert read_header(",".join(columns).encode(), "f") == layout
    assert read_header(b"\xef\xbb\xbf" + ",".join(columns).encode(), "f") == layout


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "empty"),
        (b"id,hour,click", "column 2 is 'hour' where Kaggle's header has 'click'"),
        (",".join(TRAIN_COLUMNS[:-1]).encode(), "column 24 is 'nothing'"),
        (",".join([*TRAIN_COLUMNS, "more"]).encode(), "1 columns too many"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_headers_that_are_not_kaggles(header: bytes, said: str) -> None:
    with pytest.raises(InputError, match=r"train\.csv") as raised:
        read_header(header, "train.csv")
    assert said in str(raised.value)


@given(
    st.lists(
        st.one_of(
            any_rows().map(lambda row: GOOD.replace("44956a24", row.device_model)),
            st.builds(
                lambda column, value: changed(column, value),
                st.sampled_from(TRAIN_COLUMNS),
                st.sampled_from(
                    [
                        "0",
                        "1",
                        "01",
                        "-1",
                        "",
                        "x",
                        '"1"',
                        "14102101",
                        "18446744073709551616",
                        "18446744073709551615",
                        "9" * 20,
                        "a" * 257,
                        "ä",
                        "1,1",
                        "85f751fd",
                    ]
                ),
            ),
            st.just(GOOD),
        ),
        max_size=8,
    ),
    st.sampled_from([TRAIN, TEST, Layout(labelled=True, errata=True)]),
)
def test_what_was_seen_before_changes_nothing(lines: list[str], layout: Layout) -> None:
    """Known parts of a line are not checked again: the row is the one that a check would give."""
    knowing = RowParser(layout)
    for _ in range(2):
        for line in [GOOD, *lines]:
            assert knowing.parse(7, line.encode()) == parse(line, layout)


def test_rows_share_what_they_have_in_common() -> None:
    knowing = RowParser(TRAIN)
    knowing.parse(1, GOOD.encode())
    first, second = (knowing.row(n, changed("id", str(n)).encode()) for n in (2, 3))
    shared = set(range(len(first))) - {0, TRAIN_COLUMNS.index("device_ip")}
    assert all(first[at] is second[at] for at in shared)
