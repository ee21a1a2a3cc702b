"""Every record of a batch ends in exactly one outcome, and moves the position by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_cache_writer.batch import Batch, Classifier
from roas_contracts.consuming.dead_letter_limit import DeadLetterLimit
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import SKIPPED, Decoded
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.events import AdMetric, DeadLetterReason, DeltaKind
from roas_contracts.headers import HeaderItems
from roas_contracts.heartbeat import Heartbeat
from roas_contracts.redis_layout import WindowSize

_TOPIC = "ad-metrics-1m"
_METRIC = AdMetric(
    dimension="total",
    value="all",
    window_start=1_413_849_600_000,
    window_end=1_413_849_660_000,
    kind=DeltaKind.ON_TIME,
    impressions=1,
    clicks=0,
    conversions=0,
    cost_micros=0,
    revenue_micros=0,
    currency="USD",
    emitted_at=1_700_000_000_000,
)


@dataclass(frozen=True)
class _Record:
    """A consumed record, as far as it is looked at."""

    number: int
    content: bytes

    def topic(self) -> str:
        return _TOPIC

    def partition(self) -> int:
        return 1

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return self.content

    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        return [("a", b"1"), ("a", None)]

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000


class _ScriptedDecoder:
    """Decodes the names of outcomes."""

    def decode(self, value: bytes | None, headers: HeaderItems, now_ms: int) -> Decoded:
        match value:
            case b"metric":
                return _METRIC
            case b"skipped":
                return SKIPPED
            case b"heartbeat":
                return Heartbeat(now_ms)
            case b"away":
                raise TransientError("the registry is away")
        raise PoisonError(DeadLetterReason.UNDECODABLE, "not a name")


def _classifier(limit: int = 10**6) -> Classifier:
    letters = DeadLetterBuilder("cache-writer", "0.1.0", "cache-writer")
    return Classifier(
        {_TOPIC: _ScriptedDecoder()},
        {},
        letters,
        DeadLetterLimit("ROAS_CACHE_WRITER_", limit, 1.0),
        lambda: 1_700_000_000_001,
    )


@given(st.lists(st.sampled_from([b"metric", b"skipped", b"heartbeat", b"poison"]), min_size=1))
def test_each_record_has_one_outcome(values: list[bytes]) -> None:
    classifier, batch = _classifier(), Batch()
    for number, value in enumerate(values):
        classifier.add(batch, _Record(number, value))
    progress = batch.progress[_TOPIC, 1]
    assert progress.next_offset == len(values)
    assert progress.applied == values.count(b"metric")
    assert progress.dead_lettered == values.count(b"poison") == len(batch.dead_letters)
    assert progress.skipped == values.count(b"skipped") + values.count(b"heartbeat")
    assert batch.records == len(values)
    positions = [number for number, value in enumerate(values) if value == b"poison"]
    assert [letter.offset for letter in batch.dead_letters] == positions
    if progress.applied:
        sums = batch.folds[WindowSize.ONE_MINUTE].sums()
        assert sums.deltas[DeltaKind.ON_TIME].tolist() == [progress.applied]
        assert sums.measures[DeltaKind.ON_TIME][:, 0].tolist() == [progress.applied]
        assert batch.row_count == 1


def test_a_schema_that_can_not_be_had_leaves_the_batch_as_it_was() -> None:
    classifier, batch = _classifier(), Batch()
    classifier.add(batch, _Record(0, b"metric"))
    with pytest.raises(TransientError):
        classifier.add(batch, _Record(1, b"away"))
    assert batch.progress[_TOPIC, 1].next_offset == 1
    assert batch.records == 1


def test_a_dead_letter_keeps_everything() -> None:
    classifier, batch = _classifier(), Batch()
    classifier.add(batch, _Record(7, b"\xff\x00"))
    (letter,) = batch.dead_letters
    assert (letter.key, letter.value, letter.headers) == (
        b"key",
        b"\xff\x00",
        (("a", b"1"), ("a", None)),
    )
    assert (letter.topic, letter.partition, letter.offset) == (_TOPIC, 1, 7)
    assert letter.stage == "decode"


@given(st.lists(st.integers(0, 100), min_size=1))
def test_a_position_never_goes_back(offsets: list[int]) -> None:
    batch = Batch()
    for offset in offsets:
        batch.advance((_TOPIC, 0), offset)
    assert batch.progress[_TOPIC, 0].next_offset == max(offsets)
