"""Chunks: no millisecond is split, and a restart goes on with exactly the rest."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import FIRST_HOUR_MS, ad_row, hour_blocks

from roas_contracts.errors import InputError
from roas_producer import economics
from roas_producer.feed import Chunk, Feed, Record, Resume, chunks
from roas_producer.progress import NOTHING_EMITTED, advanced, first_hour_needed, fresh
from roas_producer.rows import BadRow, HourBlock
from roas_producer.sequence import Kind, Occurrence, max_delay_ms, sequence
from roas_producer.timeline import Timeline

MODEL = economics.load(None)
FRESH = Resume(NOTHING_EMITTED, 0)
ROWS = frozenset((Kind.IMPRESSION, Kind.BAD_ROW))
timelines = st.sampled_from(
    [
        Timeline.unchanged(),
        Timeline.starting_at(FIRST_HOUR_MS, 1_700_000_000_000, Fraction(1)),
        Timeline.starting_at(FIRST_HOUR_MS, 1_700_000_000_000, Fraction(7)),
        Timeline.starting_at(FIRST_HOUR_MS, 1_700_000_000_000, Fraction(10_000)),
        Timeline.starting_at(FIRST_HOUR_MS, 1_700_000_000_000, Fraction(1, 3)),
    ]
)


def encode(step: Occurrence) -> Record:
    """A record that says which step it is."""
    name = f"{step.kind}-{step.ordinal}-{step.time_ms}"
    return Record("topic", name.encode(), b"key")


def cut(
    blocks: list[HourBlock], line: Timeline, resume: Resume = FRESH, size: int = 3
) -> list[Chunk]:
    return list(chunks(sequence(blocks, MODEL), line.sent, encode, resume, size=size))


def sent(stretch: list[Chunk]) -> list[tuple[int, Record]]:
    return [pair for chunk in stretch for pair in zip(chunk.times, chunk.records, strict=True)]


@given(hour_blocks(), timelines, st.integers(1, 10))
def test_chunks_hold_the_whole_sequence_and_split_no_millisecond(
    blocks: list[HourBlock], line: Timeline, size: int
) -> None:
    made = cut(blocks, line, size=size)
    steps = [step for step in sequence(blocks, MODEL) if isinstance(step, Occurrence)]
    assert sent(made) == [(line.sent(step.time_ms), encode(step)) for step in steps]
    assert [chunk.is_last for chunk in made] == [False] * (len(made) - 1) + [True]
    newest = NOTHING_EMITTED
    for before, after in pairwise(made):
        newest = max(newest, *before.times, newest)
        assert before.clock_ms is not None
        assert before.clock_ms > newest
        assert not after.times or after.times[0] >= before.clock_ms


@given(hour_blocks(), timelines, st.data())
def test_a_restart_at_any_boundary_sends_exactly_the_rest(
    blocks: list[HourBlock], line: Timeline, data: st.DataObject
) -> None:
    everything = sent(cut(blocks, line))
    times = sorted({time for time, _ in everything})
    through = data.draw(st.sampled_from([NOTHING_EMITTED, *times]))
    before = [pair for pair in everything if pair[0] <= through]
    after = [pair for pair in everything if pair[0] > through]

    assert sent(cut(blocks, line, Resume(through, len(before)))) == after

    needed = first_hour_needed(through, line, max_delay_ms(MODEL))
    tail = [block for block in blocks if block.start_ms >= needed]
    unread = chunks(
        sequence(tail, MODEL),
        line.sent,
        lambda step: Record("topic", f"{step.kind}-{step.time_ms}".encode(), b""),
        Resume(through, None),
    )
    whole = chunks(
        sequence(blocks, MODEL),
        line.sent,
        lambda step: Record("topic", f"{step.kind}-{step.time_ms}".encode(), b""),
        Resume(through, None),
    )
    assert sent(list(unread)) == sent(list(whole))


@given(hour_blocks(), st.integers(-2, 2).filter(bool))
def test_another_input_under_the_same_name_is_found_out(
    blocks: list[HourBlock], off_by: int
) -> None:
    everything = sent(cut(blocks, Timeline.unchanged()))
    through = everything[-1][0] if everything else NOTHING_EMITTED
    with pytest.raises(InputError, match="not the one that was sent before"):
        cut(blocks, Timeline.unchanged(), Resume(through, len(everything) + off_by))


@given(hour_blocks())
def test_bad_rows_are_told_apart_and_counted(blocks: list[HourBlock]) -> None:
    bad = [row for block in blocks for row in block.bad]
    made = cut(blocks, Timeline.unchanged())
    assert [row._replace(time_ms=None) for chunk in made for _, row in chunk.bad_rows] == bad
    progress = fresh("key", "name", "{}")
    for chunk in made:
        for position, _ in chunk.bad_rows:
            assert chunk.kinds[position] is Kind.BAD_ROW
        count = chunk.count(0, len(chunk.times))
        progress = advanced(progress, count, chunk.times[-1] if chunk.times else 0, ROWS)
    assert progress.dead_letters == len(bad)
    assert progress.rows_read == progress.impressions + progress.dead_letters
    assert progress.events_emitted == len(sent(made))
    left_out: list[BadRow] = []
    resume = Resume(2**60, None)
    list(chunks(sequence(blocks, MODEL), lambda ms: ms, encode, resume, left_out.append))
    assert [row._replace(time_ms=None) for row in left_out] == bad


def test_due_never_splits_a_millisecond() -> None:
    chunk = Chunk(times=[1, 2, 2, 2, 3])
    assert [chunk.due(horizon, 0) for horizon in (0, 1, 2, 3)] == [0, 1, 4, 5]
    assert chunk.due(1, 1) == 1


def drained(feed: Feed) -> list[Chunk]:
    out: list[Chunk] = []
    while not out or not out[-1].is_last:
        chunk = feed.next(5)
        assert chunk is not None
        out.append(chunk)
    return out


def test_a_feed_hands_out_every_chunk_in_order() -> None:
    block = HourBlock(FIRST_HOUR_MS, [ad_row(number) for number in range(200)])
    feed = Feed(lambda: iter(cut([block], Timeline.unchanged())))
    feed.start()
    assert sent(drained(feed)) == sent(cut([block], Timeline.unchanged()))


def test_a_feeds_failure_comes_after_what_was_read() -> None:
    def failing():  # type: ignore[no-untyped-def]
        yield Chunk(times=[1], clock_ms=2)
        raise InputError("train.csv, line 9: torn")

    feed = Feed(failing)
    feed.start()
    first = feed.next(5)
    assert first is not None
    assert first.times == [1]
    with pytest.raises(InputError, match="line 9"):
        feed.next(5)
