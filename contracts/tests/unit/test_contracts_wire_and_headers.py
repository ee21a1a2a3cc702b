"""Wire format, reserved headers, heartbeats and metric keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts import headers, metric_key, wire
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason, PlacementType
from roas_contracts.heartbeat import clock_of, heartbeat_headers

GROUP = "ctr-stream"


@given(schema_id=st.integers(-(2**31), 2**31 - 1), body=st.binary())
def test_what_is_packed_is_unpacked(schema_id: int, body: bytes) -> None:
    value = wire.pack(schema_id, body)
    assert value[0] == 0
    assert value[1:5] == schema_id.to_bytes(4, "big", signed=True)
    assert wire.unpack(value) == (schema_id, body)


@given(st.binary(max_size=4) | st.binary(min_size=1).filter(lambda raw: raw[0] != 0))
def test_anything_else_is_not_the_wire_format(value: bytes) -> None:
    with pytest.raises(PoisonError) as caught:
        wire.unpack(value)
    assert caught.value.reason is DeadLetterReason.NOT_WIRE_FORMAT


@given(st.integers(0, 10**19 - 1))
def test_a_heartbeat_carries_its_clock(event_time: int) -> None:
    assert clock_of(heartbeat_headers(event_time)) == event_time


def test_a_heartbeat_before_1970_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        heartbeat_headers(-1)


def test_a_heartbeats_form() -> None:
    assert heartbeat_headers(1413851234567) == [("roas-heartbeat", b"1413851234567")]


def test_records_without_headers_have_none() -> None:
    nothings: tuple[headers.HeaderItems, ...] = (None, [])
    for nothing in nothings:
        assert clock_of(nothing) is None
        assert headers.last(nothing, "x") is None
        assert not headers.is_for_another_group(nothing, GROUP)


def test_the_last_of_repeated_headers_counts() -> None:
    items: list[tuple[str, bytes | None]] = [("x", b"1"), ("y", b"2"), ("x", None)]
    assert headers.last(items, "x") is None
    assert headers.last(items, "y") == b"2"


def test_every_header_of_ours_is_in_the_reserved_range() -> None:
    ours = (headers.HEARTBEAT, headers.REPLAY_OF, headers.FOR_GROUP)
    assert all(name.startswith(headers.PREFIX) for name in ours)


@given(
    dimension=st.sampled_from(metric_key.DIMENSIONS), value=st.text(st.characters(codec="utf-8"))
)
def test_a_metric_key_is_split_into_what_it_was_made_of(dimension: str, value: str) -> None:
    assert metric_key.split_metric_key(metric_key.metric_key(dimension, value)) == (
        dimension,
        value,
    )


def test_metric_keys() -> None:
    assert metric_key.metric_key(metric_key.TOTAL, metric_key.ALL) == b"total:all"
    site = metric_key.placement_value(PlacementType.SITE, "1fbe01fe")
    assert metric_key.metric_key(metric_key.PLACEMENT, site) == b"placement:site:1fbe01fe"
    assert metric_key.placement_value(PlacementType.APP, "1fbe01fe") == "app:1fbe01fe"
    assert metric_key.placement_value(PlacementType.UNKNOWN, "x") == "unknown:x"


@pytest.mark.parametrize("key", [b"", b"total", b"\xff:x"])
def test_what_is_no_metric_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"metric key|decode"):
        metric_key.split_metric_key(key)
