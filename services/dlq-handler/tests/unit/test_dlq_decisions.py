"""Filters, refusals and outgoing records: decisions without any server."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from roas_contracts.errors import InputError
from roas_contracts.events import DeadLetter, DeadLetterAction, DeadLetterReason, OriginType
from roas_dlq_handler.library import Kind
from roas_dlq_handler.outgoing import outgoing
from roas_dlq_handler.refusals import (
    RefusedError,
    check_environment,
    check_groups,
    check_origin,
    check_states,
)
from roas_dlq_handler.selection import Selection, State, parse_key, parse_time

TOPICS = {"ad-clicks", "ad-impressions"}
REPLAY, DISCARD = DeadLetterAction.REPLAY, DeadLetterAction.DISCARD


def kind(topic: str | None = "ad-clicks", group: str = "ctr-stream", origin: str = "KAFKA") -> Kind:
    now = datetime.now(UTC)
    return Kind(origin, topic, group, "UNDECODABLE", "open", 3, 300, now, now)


def letter(*headers: tuple[str, bytes | None]) -> DeadLetter:
    return DeadLetter(
        dead_letter_id="a" * 32,
        origin_type=OriginType.KAFKA,
        topic="ad-clicks",
        partition=1,
        offset=5,
        key=None,
        value=None,
        headers=headers,
        consumer_group="ctr-stream",
        service="ctr-stream",
        service_version="0.1.0",
        stage="decode",
        reason=DeadLetterReason.NULL_VALUE,
        detail="null",
        first_failed_at=1,
        failed_at=1,
        attempts=1,
    )


def test_a_selection_comes_back_from_the_audit_as_it_was() -> None:
    selection = Selection(
        ids=("a",),
        reasons=(DeadLetterReason.UNDECODABLE,),
        topics=("ad-clicks", "ad-impressions"),
        origin=OriginType.KAFKA,
        since=datetime(2026, 1, 1, tzinfo=UTC),
        key=b"\xff\x00",
        text="%_'; DROP",
        states=(State.OPEN,),
    )
    assert Selection.from_dict(selection.as_dict()) == selection
    condition, parameters = selection.where()
    assert condition.count("%s") == len(parameters)
    assert "DROP" not in condition


def test_a_time_without_an_offset_is_utc_and_nonsense_is_named() -> None:
    assert parse_time("--since", "2026-01-01T03:00") == datetime(2026, 1, 1, 3, tzinfo=UTC)
    with pytest.raises(InputError, match=r"--since: 'soon'"):
        parse_time("--since", "soon")
    assert parse_key("0xff00") == b"\xff\x00"
    with pytest.raises(InputError, match="hexadecimal"):
        parse_key("0xfg")


@pytest.mark.parametrize(
    ("action", "kinds", "says"),
    [
        (REPLAY, [], "nothing to do"),
        (REPLAY, [kind(), kind(None, origin="FILE")], "--origin KAFKA"),
        (REPLAY, [kind(None, origin="FILE")], "errata"),
        (REPLAY, [kind(None, origin="UNKNOWN")], "not known"),
        (REPLAY, [kind(), kind("ad-impressions")], "--topic"),
        (REPLAY, [kind("foreign")], "no contract"),
        (DISCARD, [kind(), kind(None, origin="FILE")], "--topic"),
    ],
)
def test_an_origin_that_is_not_one_is_refused(
    action: DeadLetterAction, kinds: list[Kind], says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        check_origin(action, kinds, TOPICS)


def test_what_can_be_done_is_not_refused() -> None:
    assert check_origin(REPLAY, [kind(), kind()], TOPICS) == "ad-clicks"
    assert check_origin(DISCARD, [kind(None, origin="FILE")], TOPICS) == "file"
    check_groups([kind()], None, 0)
    check_groups([kind()], "ctr-stream", 7)
    check_environment("local", None)
    check_environment("production", "production")
    check_states(REPLAY, [State.OPEN, State.QUARANTINED])


def test_what_would_be_read_twice_or_by_the_wrong_ones_is_refused() -> None:
    for kinds, group, elsewhere in (
        ([kind(), kind(group="batch")], None, 0),
        ([kind()], None, 1),
        ([kind()], "batch", 0),
        ([kind(), kind(group="batch")], "batch", 0),
    ):
        with pytest.raises(RefusedError):
            check_groups(kinds, group, elsewhere)
    with pytest.raises(RefusedError, match="--confirm production"):
        check_environment("production", "prod")
    for state in (State.REPLAYED, State.FIXED, State.DISCARDED):
        with pytest.raises(RefusedError):
            check_states(REPLAY, [state])


def test_headers_stay_in_order_and_only_a_former_replays_header_is_replaced() -> None:
    sent = outgoing(
        letter(("x", None), ("roas-replay-of", b"old"), ("x", b"\xff"), ("roas-for-group", b"g")),
        None,
    )
    assert sent.headers == (
        ("x", None),
        ("x", b"\xff"),
        ("roas-for-group", b"g"),
        ("roas-replay-of", b"a" * 32),
    )
    assert outgoing(letter(), "g").headers[-1] == ("roas-for-group", b"g")
    with pytest.raises(RefusedError):
        outgoing(letter(("roas-for-group", b"another")), "g")


def test_a_value_that_was_too_long_to_keep_is_not_replayed_as_none() -> None:
    with pytest.raises(RefusedError, match=r"80000000 bytes .*ad-clicks\[1\]@5"):
        outgoing(letter(("roas-value-left-out", b"80000000")), None)
    with_a_value = dataclasses.replace(letter(("roas-value-left-out", b"1")), value=b"a")
    assert outgoing(with_a_value, None).value == b"a"
