"""What every record of one partition is: an event, a heartbeat, skipped, or poison."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from roas_contracts.decoder import Decoder, Skipped
from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason, Event
from roas_contracts.heartbeat import Heartbeat
from roas_ledger.fingerprint import Fingerprint
from roas_ledger.record import Record

# The rules that look at the wall clock: of events and deltas, and of heartbeats.
_CLOCK_REASONS = (DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS, DeadLetterReason.NULL_VALUE)


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that our decoder refuses: why, and what its dead letter has to hold."""

    reason: DeadLetterReason
    detail: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Undecided:
    """A record too far ahead of the clock when it was sent, but no longer when it was read here.

    Both verdicts are right, depending on when the consumer saw it: what the consumer did decides.
    """

    record: Event | Heartbeat
    as_poison: Poison


class RecordBook:
    """Counts what the records of one partition are to one consumer group.

    Args:
        decoder: the rules of the partition's topic for that group.
        now_ms: the wall clock, epoch milliseconds.
    """

    def __init__(self, decoder: Decoder, now_ms: Callable[[], int]) -> None:
        self.committed = 0
        self.events = 0
        self.heartbeats = 0
        self.skipped = 0
        self.poison: dict[int, Poison] = {}
        self.undecided: dict[int, Undecided] = {}
        self.last_offset: int | None = None
        self._decode = decoder.decode
        self._now_ms = now_ms
        self._present = now_ms()

    def take(self, record: Record) -> Event | Heartbeat | None:
        """Judge one record; None when it is poison, skipped or undecided.

        Raises TransientError when a schema cannot be had now.
        """
        # The rule on the wall clock is judged at the time of sending: the only clock that is
        # the same for everyone who reads the record. A send time in the future is not believed.
        clock = record.timestamp
        if clock > self._present:
            self._present = self._now_ms()
            clock = min(clock, self._present)
        try:
            found = self._decode(record.value, record.headers, clock)
        except PoisonError as error:
            self._refuse(record, error)
            found = None
        self.committed += 1
        self.last_offset = record.offset
        if found is None:
            return None
        if isinstance(found, Skipped):
            self.skipped += 1
            return None
        self._tally(found)
        return found

    def decide(self, dead: Container[int], seen: int) -> list[Event | Heartbeat]:
        """Follow the consumer's verdict on undecided records; return those that it counted.

        Args:
            dead: offsets that it has dead-lettered.
            seen: first offset that it has not judged yet.
        """
        counted: list[Event | Heartbeat] = []
        for offset in list(self.undecided):
            if offset in dead:
                self.poison[offset] = self.undecided.pop(offset).as_poison
            elif offset < seen:
                event = self.undecided.pop(offset).record
                self._tally(event)
                counted.append(event)
        return counted

    def _tally(self, record: Event | Heartbeat) -> None:
        if type(record) is Heartbeat:
            self.heartbeats += 1
        else:
            self.events += 1

    def _refuse(self, record: Record, error: PoisonError) -> None:
        poison = Poison(error.reason, error.detail, Fingerprint.of_record(record))
        if error.reason not in _CLOCK_REASONS:
            self.poison[record.offset] = poison
            return
        try:
            later = self._decode(record.value, record.headers, self._now_ms())
        except PoisonError:
            self.poison[record.offset] = poison
        else:
            assert not isinstance(later, Skipped)
            self.undecided[record.offset] = Undecided(later, poison)
