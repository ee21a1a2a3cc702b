"""A change from its lock to its last transaction: replay, fix, discard, restore.

Nothing twice and nothing lost, whenever it is killed: what is sent and its audit record commit
together; before the first one, whoever worked on the topic before is fenced off, and what was
done is read from the committed audit in Kafka.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from roas_contracts.decoder import Decoder
from roas_contracts.events import DeadLetter, DeadLetterAction, DeadLetterActionRecord
from roas_dlq_handler import __version__
from roas_dlq_handler.audit_tail import AuditTail
from roas_dlq_handler.library import Library
from roas_dlq_handler.operations import CANCELLED, FINISHED, STOPPED, Operation
from roas_dlq_handler.outbox import Entry, TooLargeError
from roas_dlq_handler.outgoing import Outgoing
from roas_dlq_handler.pace import Pace
from roas_dlq_handler.selection import Selection

_MOST_AT_ONCE: Final = 1_000
_TRANSACTIONS_PER_SECOND: Final = 4
_EXAMPLES: Final = 20


class UnchangedError(Exception):
    """A dead letter stays as it is; the message says why."""


class Sender(Protocol):
    """`outbox.Outbox`, opened."""

    def send(self, entries: list[Entry]) -> None:
        """Commit these together."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Made:
    """What becomes of one dead letter: a record to send (or none), and by which rule."""

    record: Outgoing | None
    rule: str | None = None


@dataclass(slots=True)
class Result:
    """What an operation did in this run."""

    done: int = 0
    done_before: int = 0
    already: int = 0
    """Dealt with by somebody since PostgreSQL was told."""
    unchanged: int = 0
    """Stayed failed: no rule matches, or Kafka refuses it."""
    examples: list[dict[str, str]] = field(default_factory=list)
    """Some of those, and why."""
    status: str = STOPPED

    def as_dict(self) -> dict[str, Any]:
        """For PostgreSQL and scripts."""
        return {name: getattr(self, name) for name in self.__slots__}


class Run:
    """One run of an operation, under its lock and with an opened outbox.

    Args:
        operation: what to do.
        library: where the dead letters are.
        sender: commits.
        letters: decodes dead letters.
        tail: what was done lately.
        done_before: how many this operation has dealt with in earlier runs.
        make: what becomes of a dead letter; raises UnchangedError.
        cancelled: whether somebody asked to stop.
        interrupted: whether this process is asked to stop.
        progress: told how many are done.
        now_ms: the wall clock, milliseconds.
        sleep: waits so many seconds, or less when interrupted.
    """

    def __init__(
        self,
        operation: Operation,
        library: Library,
        sender: Sender,
        letters: Decoder,
        tail: AuditTail,
        done_before: int,
        make: Callable[[DeadLetter], Made],
        *,
        cancelled: Callable[[], bool],
        interrupted: Callable[[], bool],
        progress: Callable[[int], None],
        now_ms: Callable[[], int],
        sleep: Callable[[float], object],
    ) -> None:
        self._operation = operation
        self._library = library
        self._sender = sender
        self._letters = letters
        self._tail = tail
        self._make = make
        self._cancelled = cancelled
        self._interrupted = interrupted
        self._progress = progress
        self._now_ms = now_ms
        self._sleep = sleep
        self.result = Result(done_before=done_before)

    def execute(self) -> None:
        """Work through the selection; `result` says how far it came, also after an exception.

        Raises:
            TransientError: Kafka or PostgreSQL does not answer: go on later.
            FencedError: somebody else took over.
        """
        rate = self._operation.options.rate
        pace = Pace(rate)
        at_once = max(1, min(_MOST_AT_ONCE, rate // _TRANSACTIONS_PER_SECOND))
        batch: list[Entry] = []
        for entry in self._entries():
            batch.append(entry)
            if len(batch) < at_once:
                continue
            self._send(batch)
            self._sleep(pace.after(len(batch)))
            batch = []
            if self._cancelled():
                self.result.status = CANCELLED
                return
            if self._interrupted():
                return
        self._send(batch)
        if not self._interrupted():
            self.result.status = FINISHED

    def _entries(self) -> Iterator[Entry]:
        options = self._operation.options
        left = None if options.most is None else options.most - self.result.done_before
        pages = self._library.pages(
            self._operation.selection, self._operation.up_to, options.mean_bytes
        )
        for page in pages:
            if self._interrupted():  # Also where page after page has nothing to send.
                return
            for dead_letter_id, _state, encoded in page.letters:
                if left is not None and left <= 0:
                    return
                if not self._is_wanted(dead_letter_id):
                    self.result.already += 1
                    continue
                try:
                    entry = self._entry(dead_letter_id, encoded)
                except UnchangedError as error:
                    self._leave(dead_letter_id, str(error))
                    continue
                if left is not None:
                    left -= 1
                yield entry

    def _is_wanted(self, dead_letter_id: str) -> bool:
        """By the audit that PostgreSQL may not have yet; its own state has selected it already."""
        newest = self._tail.latest.get(dead_letter_id)
        if newest is None:
            return True
        if self._operation.action is DeadLetterAction.RESTORE:
            return newest is DeadLetterAction.DISCARD
        return newest is DeadLetterAction.RESTORE

    def _entry(self, dead_letter_id: str, encoded: bytes) -> Entry:
        letter = self._letters.decode(encoded, None, self._now_ms())
        assert isinstance(letter, DeadLetter)
        made = self._make(letter)
        operation, record = self._operation, made.record
        return record, DeadLetterActionRecord(
            dead_letter_id=dead_letter_id,
            action=operation.action,
            operation_id=operation.operation_id,
            actor=operation.actor,
            why=operation.why,
            selection=selection_text(operation.selection),
            topic=None if record is None else record.topic,
            partition=None if record is None else record.partition,
            for_group=operation.options.for_group,
            rule=made.rule,
            rules_sha256=rules_digest(operation.options.rules),
            tool_version=__version__,
            acted_at=self._now_ms(),
        )

    def _send(self, batch: list[Entry]) -> None:
        if not batch:
            return
        try:
            self._sender.send(batch)
        except TooLargeError as error:
            if len(batch) > 1:
                for entry in batch:
                    self._send([entry])
                return
            self._leave(batch[0][1].dead_letter_id, f"Kafka does not take it: {error}")
            return
        self.result.done += len(batch)
        self._progress(self.result.done)

    def _leave(self, dead_letter_id: str, why: str) -> None:
        self.result.unchanged += 1
        if len(self.result.examples) < _EXAMPLES:
            self.result.examples.append({"dead_letter_id": dead_letter_id, "why": why})


def selection_text(selection: Selection) -> str:
    """A selection in the audit."""

    return json.dumps(selection.as_dict(), sort_keys=True)


def rules_digest(rules: str | None) -> str | None:
    """SHA-256 of a rules file's text."""

    return None if rules is None else hashlib.sha256(rules.encode()).hexdigest()
