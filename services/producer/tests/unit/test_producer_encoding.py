"""The bytes that are joined by hand are those that the general way would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import any_rows
from reference_events import EventBuilder

from roas_contracts.codec import Codec
from roas_contracts.events import EVENT_TOPICS, Source
from roas_contracts.subjects import load_subject
from roas_producer.encoding import SCHEMA_VERSION, EventEncoder, SchemaIds, avro_long
from roas_producer.rows import AdRow
from roas_producer.sequence import Kind, Occurrence
from roas_producer.timeline import Timeline

IDS = SchemaIds(impressions=11, clicks=12, conversions=2_000_000_013)
CODECS = {
    Kind.IMPRESSION: Codec.for_topic("ad-impressions", IDS.impressions),
    Kind.CLICK: Codec.for_topic("ad-clicks", IDS.clicks),
    Kind.CONVERSION: Codec.for_topic("ad-conversions", IDS.conversions),
}
times = st.integers(1_262_304_000_000, 4_000_000_000_000)


@given(
    any_rows(),
    st.sampled_from([Kind.IMPRESSION, Kind.CLICK, Kind.CONVERSION]),
    times,
    st.integers(0, 10**8),
    st.one_of(st.none(), st.integers(0, 10**7)),
    st.integers(0, 10**15),
    st.sampled_from([Source.AVAZU, Source.GENERATED]),
    st.integers(-(10**12), 10**12),
)
def test_the_bytes_are_those_of_the_general_way(
    row: AdRow,
    kind: Kind,
    shown: int,
    later: int,
    clicked: int | None,
    micros: int,
    source: Source,
    shift: int,
) -> None:
    click_ms = None if clicked is None else shown + clicked
    step = Occurrence(shown + later, 3, kind, row, shown, click_ms, micros)
    line = Timeline(Timeline.unchanged().speed, shift)
    fast = EventEncoder(source, "EUR", "purchase", line.sent, IDS)
    slow = EventBuilder(source, "EUR", "purchase", line.sent)
    assert fast.encode(step, row) == CODECS[kind].encode(slow.build(step, row))


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_the_written_version_is_the_newest(topic: str) -> None:
    assert load_subject(topic).latest.number == SCHEMA_VERSION


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_decodes_to_itself(value: int) -> None:
    rest, shift = 0, 0
    for byte in avro_long(value):
        rest |= (byte & 0x7F) << shift
        shift += 7
    assert (rest >> 1) ^ -(rest & 1) == value
