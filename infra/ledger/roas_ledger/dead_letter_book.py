"""The dead letters as they stand in their topic, by the position of the record they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roas_contracts.decoder import Decoder, Skipped
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetter, DeadLetterReason, Event, OriginType
from roas_contracts.heartbeat import Heartbeat
from roas_ledger.fingerprint import Fingerprint
from roas_ledger.record import Partition, Record


@dataclass(slots=True)
class Letter:
    """What is known about the dead letter of one position; `copies` counts repeats of it."""

    dead_letter_id: str
    reason: DeadLetterReason
    fingerprint: Fingerprint
    event: Event | None = None
    """What it holds where that is a good event in the ledger's eyes, such as one that a consumer
    with a wrong setting has refused."""
    copies: int = 1


class DeadLetterBook:
    """Dead letters of Kafka records by consumer group and position, and of file rows.

    Args:
        decoder: of the dead-letters topic.
        decoders: by topic, to judge what the letters of one consumer group hold.
        group: that group.
    """

    def __init__(
        self, decoder: Decoder, decoders: Mapping[str, Decoder] | None = None, group: str = ""
    ) -> None:
        self._decode = decoder.decode
        self._decoders = decoders or {}
        self._group = group
        self._letters: dict[str, dict[Partition, dict[int, Letter]]] = {}
        self.file_rows: dict[tuple[str, int], int] = {}
        self.unreadable: list[tuple[str, str]] = []

    def feed(self, records: Iterable[Record]) -> None:
        """Enter records of the dead-letters topic."""
        for record in records:
            try:
                letter = self._decode(record.value, record.headers, record.timestamp)
            except PoisonError as error:
                self.unreadable.append((record.place, str(error)))
                continue
            if not isinstance(letter, DeadLetter):
                continue
            if letter.origin_type is OriginType.FILE:
                row = (letter.file_sha256 or "", letter.line or 0)
                self.file_rows[row] = self.file_rows.get(row, 0) + 1
            else:
                self._enter(letter)

    def of(self, group: str, partition: Partition) -> dict[int, Letter]:
        """Dead letters of one consumer group for one partition, by offset."""
        return self._letters.get(group, {}).get(partition, {})

    def groups(self) -> set[str]:
        """Consumer groups that have written dead letters of Kafka records."""
        return set(self._letters)

    def partitions(self, group: str) -> set[Partition]:
        """Partitions for which a group has written dead letters."""
        return set(self._letters.get(group, {}))

    def _enter(self, letter: DeadLetter) -> None:
        partition = (letter.topic or "", -1 if letter.partition is None else letter.partition)
        offset = -1 if letter.offset is None else letter.offset
        letters = self._letters.setdefault(letter.consumer_group, {}).setdefault(partition, {})
        known = letters.get(offset)
        if known is None:
            letters[offset] = Letter(
                letter.dead_letter_id,
                letter.reason,
                Fingerprint.of_dead_letter(letter),
                self._good_event(letter),
            )
        else:
            known.copies += 1

    def _good_event(self, letter: DeadLetter) -> Event | None:
        decoder = self._decoders.get(letter.topic or "")
        if decoder is None or letter.consumer_group != self._group:
            return None
        try:
            found = decoder.decode(letter.value, letter.headers, letter.record_timestamp or 0)
        except PoisonError:
            return None
        return None if isinstance(found, Skipped | Heartbeat) else found
