"""A record is shown as far as it decodes, with the place where it stops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.codec import Codec
from roas_contracts.events import AD_CLICKS, AdClick
from roas_contracts.subjects import load_subject
from roas_corpus.records import RECORDS
from roas_dlq_handler.inspection import decode_as_far_as_it_goes, hex_lines


class OneSchema:
    def schema(self, schema_id: int) -> str:
        return load_subject(AD_CLICKS).latest.text


VALUE = Codec.for_topic(AD_CLICKS, 1).encode(AdClick(**RECORDS[AD_CLICKS]))
FIELDS = [field["name"] for field in load_subject(AD_CLICKS).latest.parsed["fields"]]


def test_a_whole_record_shows_every_field() -> None:
    found = decode_as_far_as_it_goes(VALUE, OneSchema())
    assert list(found.fields) == FIELDS
    assert found.stops_at is None
    assert found.fields["event_id"] == RECORDS[AD_CLICKS]["event_id"]


@given(st.integers(0, len(VALUE) - 1))
def test_a_cut_one_shows_the_fields_before_the_cut(length: int) -> None:
    found = decode_as_far_as_it_goes(VALUE[:length], OneSchema())
    assert found.stops_at is not None
    assert list(found.fields) == FIELDS[: len(found.fields)]
    if length >= 5:
        assert found.stops_at == FIELDS[len(found.fields)]
        assert found.stops_at_byte is not None
        assert found.stops_at_byte <= length


@given(st.binary(max_size=200))
def test_nothing_that_is_thrown_at_it_breaks_it(value: bytes) -> None:
    decode_as_far_as_it_goes(value, OneSchema())
    decode_as_far_as_it_goes(b"\0\0\0\0\1" + value, OneSchema())


@pytest.mark.parametrize(
    ("value", "stops"),
    [(None, "the value"), (b"\1", "the wire format"), (VALUE + b"\0", "the end of the record")],
)
def test_what_is_no_record_says_why(value: bytes | None, stops: str) -> None:
    assert decode_as_far_as_it_goes(value, OneSchema()).stops_at == stops


def test_hexadecimal_lines_have_position_bytes_and_text() -> None:
    lines = hex_lines(b"\0" * 16 + b"abc", 16)
    assert lines[0].startswith("00000000  00 00")
    assert "3 bytes more" in lines[1]
