"""Dead letters, producer's progress, consumed offsets and the balance, without a broker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_contracts.decoder import Decoder
from roas_contracts.events import DeadLetterReason, ProducerProgress
from roas_contracts.heartbeat import heartbeat_headers
from roas_contracts.rules import Rules
from roas_ledger.balance import TopicBalance
from roas_ledger.consumer_positions import impossible, line
from roas_ledger.dead_letter_book import Letter
from roas_ledger.dead_letter_check import compare_positions
from roas_ledger.fingerprint import Fingerprint
from roas_ledger.kafka_reader import Extent
from roas_ledger.postgres_lineage import ConsumedOffset
from roas_ledger.progress_lineage import ProgressLineage, compare_progress
from roas_ledger.record import Record
from roas_ledger.record_book import RecordBook

NOW = 1_800_000_000_000
AT = ("ad-clicks", 0)


class NoSchemas:
    """None of these records gets as far as its schema."""

    def schema(self, schema_id: int) -> str:
        raise AssertionError(schema_id)


def book() -> RecordBook:
    return RecordBook(Decoder(AT[0], NoSchemas(), Rules(group="g")), lambda: NOW)


def record(
    offset: int,
    value: bytes | None = b"\x07x",
    headers: list[tuple[str, bytes | None]] | None = None,
    timestamp: int = NOW - 60_000,
) -> Record:
    return Record(AT, offset, b"k", value, headers, timestamp, "CREATE_TIME")


def heartbeat(offset: int, clock: int, timestamp: int = NOW - 60_000) -> Record:
    return record(offset, None, [*heartbeat_headers(clock)], timestamp)


def letter(of: Record, reason: DeadLetterReason = DeadLetterReason.NOT_WIRE_FORMAT) -> Letter:
    return Letter("an id", reason, Fingerprint.of_record(of))


EXTENT = Extent(0, 100, 100)


def test_a_book_tells_records_apart() -> None:
    of = book()
    of.take(record(0))
    of.take(heartbeat(1, NOW - 100_000))
    of.take(record(2, b"\0\0\0\0\1", [("roas-for-group", b"other")]))
    of.take(record(3, None))
    assert (of.committed, of.heartbeats, of.skipped, of.events) == (4, 1, 1, 0)
    assert {at: poison.reason for at, poison in of.poison.items()} == {
        0: DeadLetterReason.NOT_WIRE_FORMAT,
        3: DeadLetterReason.NULL_VALUE,
    }
    assert of.last_offset == 3


def test_what_depends_on_the_consumers_clock_follows_the_consumer() -> None:
    ahead = NOW - 60_000 + 600_001  # Too far ahead when it was sent, not any more at NOW.
    of = book()
    for offset in range(3):
        assert of.take(heartbeat(offset, ahead)) is None
    assert set(of.undecided) == {0, 1, 2}
    assert len(of.decide(dead={1}, seen=1)) == 1
    assert set(of.poison) == {1}
    assert set(of.undecided) == {2}
    assert of.heartbeats == 1
    assert len(of.decide(dead=set(), seen=3)) == 1
    assert of.heartbeats == 2


def test_a_send_time_in_the_future_is_not_believed() -> None:
    of = book()
    of.take(heartbeat(0, NOW + 700_000, timestamp=NOW + 10**9))
    assert set(of.poison) == {0}


def test_each_poison_record_has_its_letter() -> None:
    of = book()
    poison = [record(0), record(1, b"\x08")]
    for each in poison:
        of.take(each)
    letters = {0: letter(poison[0]), 1: letter(poison[1])}
    assert list(compare_positions(AT, EXTENT, 100, of, letters, "g")) == []


def test_positions_that_disagree_are_named() -> None:
    of = book()
    for offset in range(4):
        of.take(record(offset))
    letters = {
        1: letter(record(1, value=b"\x07y")),
        2: letter(record(2), DeadLetterReason.UNDECODABLE),
        3: letter(record(3)),
        7: letter(record(7)),
    }
    found = {d.place: d for d in compare_positions(AT, EXTENT, 100, of, letters, "g")}
    assert set(found) == {f"ad-clicks/0@{offset}" for offset in (0, 1, 2, 7)}
    assert found["ad-clicks/0@0"].got == "no dead letter"
    assert found["ad-clicks/0@1"].got == "another value"
    assert found["ad-clicks/0@2"].got == "poison, UNDECODABLE"
    assert "decodable" in (found["ad-clicks/0@7"].detail or "")


def test_letters_beyond_the_cut_and_before_the_log_are_passed_over() -> None:
    letters = {3: letter(record(3)), 50: letter(record(50))}
    assert list(compare_positions(AT, Extent(10, 60, 60), 50, book(), letters, "g")) == []


Parts = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]], int]

parts = st.tuples(
    st.none() | st.binary(max_size=4),
    st.none() | st.binary(max_size=4),
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "ab"]), st.none() | st.binary(max_size=2)), max_size=3
    ),
    st.integers(0, 3),
)


@given(parts, parts)
def test_fingerprints_are_equal_for_equal_records_only(one: Parts, other: Parts) -> None:
    prints = [Fingerprint.of(*each, "CREATE_TIME") for each in (one, other)]
    names = ("key", "value", "headers", "timestamp")
    differing = [name for name, a, b in zip(names, one, other, strict=True) if a != b]
    assert prints[0].differing_parts(prints[1]) == differing


BALANCE = TopicBalance(
    topic="ad-clicks",
    committed=100,
    arrived_since=0,
    on_time=80,
    late=5,
    corrections=0,
    dead=4,
    skipped=1,
    heartbeats=7,
    open=3,
    before=0,
)


def test_the_formula() -> None:
    assert BALANCE.missing == 0
    assert BALANCE.difference() is None
    lost = replace(BALANCE, on_time=79).difference()
    assert lost is not None
    assert lost.sentence().endswith("(1 records went nowhere)")
    twice = replace(BALANCE, late=7).difference()
    assert twice is not None
    assert twice.sentence().endswith("(2 more were counted than were committed)")
    assert replace(BALANCE, on_time=79, corrections=1).difference() is None


def progress(impressions: int, rows: int, dead: int = 0) -> ProgressLineage:
    lineage = ProgressLineage(Decoder("producer-progress", NoSchemas(), Rules(group="g")))
    lineage.inputs["i"] = ProducerProgress(
        input="i",
        input_name="train.csv",
        options="{}",
        rows_read=rows,
        impressions=impressions,
        clicks=1,
        conversions=0,
        dead_letters=dead,
        emitted_through=NOW,
        events_emitted=impressions + 1,
        rebase_ms=0,
        finished=True,
        updated_at=NOW,
    )
    return lineage


NONE = {"ad-impressions": 0, "ad-clicks": 0, "ad-conversions": 0}


def held(impressions: int) -> dict[str, int]:
    return {"ad-impressions": impressions, "ad-clicks": 1, "ad-conversions": 0}


def test_a_producer_at_rest_is_held_to_the_number() -> None:
    said = progress(10, 12, dead=2)
    assert list(compare_progress(said, said, held(10), NONE, 2)) == []
    (missing,) = compare_progress(said, said, held(9), NONE, 2)
    assert (missing.place, missing.expected, missing.got) == ("ad-impressions", 10, 9)
    (row,) = compare_progress(said, said, held(10), NONE, 1)
    assert row.place == "dead-letters"


@pytest.mark.parametrize(("found", "count"), [(9, 1), (10, 0), (15, 0), (16, 1)])
def test_a_running_producer_is_held_between_two_looks(found: int, count: int) -> None:
    differences = compare_progress(progress(10, 10), progress(15, 15), held(found), NONE, 0)
    assert len(list(differences)) == count


def test_of_a_published_file_every_event_is_a_row_and_none_may_be_missing() -> None:
    said = progress(0, 3, dead=2)
    said.inputs["i"] = replace(said.inputs["i"], options='{"publish":1}')
    clicks = {**NONE, "ad-clicks": 1}
    assert list(compare_progress(said, said, NONE, clicks, 2)) == []
    # Others may send EXTERNAL events as well.
    assert list(compare_progress(said, said, NONE, {**clicks, "ad-impressions": 9}, 2)) == []
    (missing,) = compare_progress(said, said, NONE, NONE, 2)
    assert (missing.place, missing.measure) == ("ad-clicks", "published events")
    said.inputs["i"] = replace(said.inputs["i"], rows_read=4)
    (rows,) = compare_progress(said, said, NONE, clicks, 2)
    assert (rows.expected, rows.got) == (4, 3)


def test_rows_are_impressions_or_dead_letters() -> None:
    said = progress(10, 12, dead=1)
    (found,) = compare_progress(said, said, held(10), NONE, 1)
    assert (found.expected, found.got) == (12, 11)


def test_consumed_offsets_that_cannot_be_are_named() -> None:
    at = ("ad-metrics-1m", 0)
    extents = {at: Extent(10, 20, 22)}
    assert list(impossible(extents, {at: ConsumedOffset(22, "c")}, "c")) == []
    for offset, cluster, word in ((23, "c", "anew"), (9, "c", "deleted"), (15, "d", "another")):
        (found,) = impossible(extents, {at: ConsumedOffset(offset, cluster)}, "c")
        assert word in (found.detail or "")


def test_a_consumer_is_behind_by_records_not_by_transaction_markers() -> None:
    assert line("g", AT, 19, 18, Extent(0, 20, 20)).behind == 0
    assert line("g", AT, 10, 18, Extent(0, 20, 20)).behind == 9
    assert line("g", AT, None, 18, Extent(4, 20, 20)).behind == 15
    assert line("g", AT, None, None, Extent(4, 4, 4)).behind == 0
