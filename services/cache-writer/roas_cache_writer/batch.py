"""What one poll of records amounts to: sums, dead letters and new positions, not yet written.

Pure but for the clock and the registry behind the decoders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from roas_cache_writer.deltas import SIZE_OF_TOPIC, Fold, check
from roas_cache_writer.plain import PlainDeltas
from roas_contracts.consuming.dead_letter_limit import DeadLetterLimit
from roas_contracts.consuming.positions import TopicPartition
from roas_contracts.dead_letters import ConsumedRecord, DeadLetterBuilder
from roas_contracts.decoder import Decoded
from roas_contracts.errors import PoisonError, TransientError
from roas_contracts.events import AdMetric, DeadLetter
from roas_contracts.headers import HeaderItems
from roas_contracts.redis_layout import WindowSize


class MetricDecoder(Protocol):
    """`roas_contracts.decoder.Decoder`, as far as it is needed here."""

    def decode(self, value: bytes | None, headers: HeaderItems, now_ms: int) -> Decoded:
        """The event in a record; PoisonError or TransientError as the real one."""
        ...  # pragma: no cover


class DeltaReader(Protocol):
    """`roas_cache_writer.plain.PlainReader`, as far as it is needed here."""

    def read(self, values: Sequence[bytes | None], now_ms: int) -> PlainDeltas | None:
        """The deltas that are beyond doubt."""
        ...  # pragma: no cover

    def learn(self, value: bytes) -> None:
        """A record that was decoded the general way."""
        ...  # pragma: no cover


@dataclass(slots=True)
class Progress:
    """One partition's part in a batch: records by outcome, and the position after it."""

    next_offset: int
    applied: int = 0
    dead_lettered: int = 0
    skipped: int = 0


@dataclass(slots=True)
class Batch:
    """Everything that one PostgreSQL transaction has to write, and what goes before it."""

    folds: dict[WindowSize, Fold] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    progress: dict[TopicPartition, Progress] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Number of records in the batch."""
        return sum(p.applied + p.dead_lettered + p.skipped for p in self.progress.values())

    @property
    def row_count(self) -> int:
        """Number of rows to upsert."""
        return sum(len(fold.sums()) for fold in self.folds.values())

    def fold(self, size: WindowSize) -> Fold:
        """The deltas of one window size."""
        fold = self.folds.get(size)
        if fold is None:
            fold = self.folds[size] = Fold(size)
        return fold

    def advance(self, partition: TopicPartition, next_offset: int) -> Progress:
        """Move a partition's position on; positions never go back."""
        progress = self.progress.get(partition)
        if progress is None:
            progress = self.progress[partition] = Progress(next_offset)
        elif next_offset > progress.next_offset:
            progress.next_offset = next_offset
        return progress


class Classifier:
    """Turns records into a batch.

    Args:
        decoders: by topic.
        plain: by topic, for the records that need no closer look; a topic may have none.
        letters: builds the dead letters.
        limit: raises when poison is no longer the exception.
        now_ms: the wall clock, milliseconds.
    """

    def __init__(
        self,
        decoders: Mapping[str, MetricDecoder],
        plain: Mapping[str, DeltaReader],
        letters: DeadLetterBuilder,
        limit: DeadLetterLimit,
        now_ms: Callable[[], int],
    ) -> None:
        self._decoders = decoders
        self._plain = plain
        self._letters = letters
        self._limit = limit
        self._now_ms = now_ms

    def add_all(
        self,
        batch: Batch,
        records: Sequence[ConsumedRecord],
        patiently: Callable[[Callable[[], None]], None],
    ) -> None:
        """Put records into the batch: together where they are plain, else one at a time, in order.

        Args:
            batch: what to put them into.
            records: as they were polled.
            patiently: calls what it is given again for as long as that raises TransientError.

        Raises:
            TransientError: that has no patience left; what is in the batch is not all.
            MisconfigurationError: too much poison.
        """
        is_plain = self._add_plain(batch, records)
        before = 0
        for at, record in enumerate(records):
            if is_plain[at]:
                before += 1
                continue
            if before:
                self._limit.good(before)
                before = 0
            try:
                self.add(batch, record)
            except TransientError:
                # The registry is away. This record waits, and so do those behind it.
                patiently(partial(self.add, batch, record))
        if before:
            self._limit.good(before)

    def _add_plain(self, batch: Batch, records: Sequence[ConsumedRecord]) -> bytearray:
        """Put the plain records in; which they are."""
        is_plain = bytearray(len(records))
        places: dict[str, list[int]] = defaultdict(list)
        for at, record in enumerate(records):
            places[record.topic() or ""].append(at)
        for topic, ours in places.items():
            reader = self._plain.get(topic)
            if reader is None:
                continue
            values = [None if records[at].headers() else records[at].value() for at in ours]
            found = reader.read(values, self._now_ms())
            if found is None:
                continue
            batch.fold(SIZE_OF_TOPIC[topic]).add_columns(found.columns)
            for place in found.places.tolist():
                at = ours[place]
                is_plain[at] = 1
                partition, offset = records[at].partition(), records[at].offset()
                assert partition is not None
                assert offset is not None
                batch.advance((topic, partition), offset + 1).applied += 1
        return is_plain

    def add(self, batch: Batch, record: ConsumedRecord) -> None:
        """Put one record into the batch.

        Raises:
            TransientError: its schema can't be had now. The batch is as before: ask again later.
            MisconfigurationError: too much poison.
        """
        topic, partition, offset = record.topic(), record.partition(), record.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        now_ms = self._now_ms()
        stage = "decode"
        try:
            decoded = self._decoders[topic].decode(record.value(), record.headers(), now_ms)
            if isinstance(decoded, AdMetric):
                stage = "validate"
                size = SIZE_OF_TOPIC[topic]
                check(size, decoded)
        except PoisonError as error:
            self._limit.poison()
            letter = self._letters.from_record(record, error, stage=stage, now_ms=now_ms)
            batch.dead_letters.append(letter)
            batch.advance((topic, partition), offset + 1).dead_lettered += 1
            return
        progress = batch.advance((topic, partition), offset + 1)
        self._limit.good()
        if isinstance(decoded, AdMetric):
            batch.fold(size).add(decoded)
            reader = self._plain.get(topic)
            if reader is not None:
                reader.learn(record.value() or b"")
            progress.applied += 1
        else:  # For another group, or a heartbeat, which means nothing to sums.
            progress.skipped += 1
