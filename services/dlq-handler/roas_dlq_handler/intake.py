"""What records of dead-letters and dead-letter-actions amount to as rows. Pure but for decoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from roas_contracts.codec import Codec
from roas_contracts.consuming.positions import TopicPartition
from roas_contracts.dead_letters import ConsumedRecord, DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetter, DeadLetterActionRecord

_EARLIEST: Final = 0
_LATEST: Final = 253_402_300_799_999
"""9999-12-31: a time beyond is somebody's mistake, and no reason to lose a letter."""


@dataclass(slots=True)
class StoredLetter:
    """A dead letter, and its bytes as they were in Kafka."""

    letter: DeadLetter
    encoded: bytes
    deliveries: int = 1


@dataclass(slots=True)
class Progress:
    """One partition's part in a batch."""

    next_offset: int
    records: int = 0


@dataclass(slots=True)
class Batch:
    """Everything that one PostgreSQL transaction has to write."""

    letters: dict[str, StoredLetter] = field(default_factory=dict)
    """By id: the same failure may be reported more than once."""
    actions: list[DeadLetterActionRecord] = field(default_factory=list)
    progress: dict[TopicPartition, Progress] = field(default_factory=dict)

    def advance(self, partition: TopicPartition, next_offset: int) -> Progress:
        """Move a partition's position on; positions never go back."""
        progress = self.progress.setdefault(partition, Progress(next_offset))
        progress.next_offset = max(progress.next_offset, next_offset)
        return progress


class Intake:
    """Turns records into a batch, one at a time.

    A record of these two topics that is itself poison is stored as a dead letter of this service,
    without a way through Kafka, where it would only come back.

    Args:
        decoders: by topic.
        builder: makes this service's own dead letters.
        codec: of dead-letters, made when it is first needed.
        now_ms: the wall clock, milliseconds.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        builder: DeadLetterBuilder,
        codec: Callable[[], Codec],
        now_ms: Callable[[], int],
    ) -> None:
        self._decoders = decoders
        self._builder = builder
        self._codec = codec
        self._now_ms = now_ms

    def add(self, batch: Batch, record: ConsumedRecord) -> None:
        """Put one record into the batch.

        Raises:
            TransientError: its schema can't be had now. The batch is as before: ask again later.
        """
        topic, partition, offset = record.topic(), record.partition(), record.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        value, now_ms = record.value(), self._now_ms()
        try:
            decoded = self._decoders[topic].decode(value, record.headers(), now_ms)
        except PoisonError as error:
            letter = self._builder.from_record(record, error, stage="decode", now_ms=now_ms)
            _add_letter(batch, letter, self._codec().encode(letter))
        else:
            if isinstance(decoded, DeadLetter):
                assert value is not None
                _add_letter(batch, decoded, value)
            elif isinstance(decoded, DeadLetterActionRecord):
                batch.actions.append(decoded)
        batch.advance((topic, partition), offset + 1).records += 1


def _add_letter(batch: Batch, letter: DeadLetter, encoded: bytes) -> None:
    known = batch.letters.get(letter.dead_letter_id)
    if known is None:
        batch.letters[letter.dead_letter_id] = StoredLetter(letter, encoded)
    else:
        known.deliveries += 1


def column_text(text: str | None) -> str | None:
    """Text as PostgreSQL can hold it: it has no NUL."""
    return None if text is None else text.replace("\0", "\ufffd")


def column_time(milliseconds: int) -> datetime:
    """A time as PostgreSQL can hold it, clipped to 1970 to 9999."""
    clipped = min(max(milliseconds, _EARLIEST), _LATEST)
    seconds, rest = divmod(clipped, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
