"""A run sends what is wanted and nothing else, and knows how far it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.errors import TransientError
from roas_contracts.events import DEAD_LETTERS, DeadLetter, DeadLetterAction
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subject
from roas_corpus.records import RECORDS
from roas_dlq_handler.audit_tail import AuditTail
from roas_dlq_handler.library import Page
from roas_dlq_handler.operation import Made, Result, Run, UnchangedError
from roas_dlq_handler.operations import Operation, Options
from roas_dlq_handler.outbox import Entry, TooLargeError
from roas_dlq_handler.selection import Selection

CODEC = Codec.for_topic(DEAD_LETTERS, 1)
LETTER = DeadLetter(**{**RECORDS[DEAD_LETTERS], "headers": ()})


class OneSchema:
    def schema(self, schema_id: int) -> str:
        return load_subject(DEAD_LETTERS).latest.text


class Shelf:
    """A library of so many dead letters, two a page."""

    def __init__(self, count: int) -> None:
        self.ids = [f"{number:032x}" for number in range(count)]

    def pages(self, *_: Any) -> Iterator[Page]:
        encoded = CODEC.encode(LETTER)
        for at in range(0, len(self.ids), 2):
            yield Page(at, [(one, "open", encoded) for one in self.ids[at : at + 2]])


class Postman:
    """Remembers what was committed; fails after so many transactions, refuses some letters."""

    def __init__(self, fails_after: int = 10**6, refuses: tuple[str, ...] = ()) -> None:
        self.sent: list[str] = []
        self._left = fails_after
        self._refuses = refuses

    def send(self, entries: list[Entry]) -> None:
        ids = [action.dead_letter_id for _, action in entries]
        if self._left == 0:
            raise TransientError("Kafka does not answer")
        if set(ids) & set(self._refuses):
            raise TooLargeError("too large")
        self._left -= 1
        self.sent += ids


def run(
    shelf: Shelf,
    postman: Postman,
    *,
    action: DeadLetterAction = DeadLetterAction.REPLAY,
    tail: AuditTail | None = None,
    done_before: int = 0,
    cancelled: bool = False,
    interrupted: bool = False,
    unchanged: tuple[str, ...] = (),
    **options: Any,
) -> Run:
    turn = iter(shelf.ids)

    def make(_: DeadLetter) -> Made:
        if next(turn) in unchanged:
            raise UnchangedError("no rule matches")
        return Made(None)

    return Run(
        Operation("op", action, "ad-clicks", "mina", "", Selection(), Options(**options), 99, 9),
        shelf,  # type: ignore[arg-type]
        postman,
        Decoder(DEAD_LETTERS, OneSchema(), Rules(group="dlq-handler")),
        tail or AuditTail(),
        done_before,
        make,
        cancelled=lambda: cancelled,
        interrupted=lambda: interrupted,
        progress=lambda _: None,
        now_ms=lambda: 1_767_225_600_000,
        sleep=lambda _: None,
    )


def done(one: Run) -> Result:
    one.execute()
    return one.result


def test_everything_is_sent_in_order() -> None:
    shelf, postman = Shelf(7), Postman()
    result = done(run(shelf, postman, rate=8))
    assert postman.sent == shelf.ids
    assert (result.status, result.done) == ("finished", 7)


def test_the_most_that_is_wanted_counts_earlier_runs() -> None:
    shelf, postman = Shelf(7), Postman()
    assert done(run(shelf, postman, rate=4, most=5, done_before=3)).done == 2
    assert postman.sent == shelf.ids[:2]


@pytest.mark.parametrize(
    ("action", "newest", "wanted"),
    [
        (DeadLetterAction.REPLAY, DeadLetterAction.REPLAY, False),
        (DeadLetterAction.REPLAY, DeadLetterAction.FIX, False),
        (DeadLetterAction.REPLAY, DeadLetterAction.DISCARD, False),
        (DeadLetterAction.REPLAY, DeadLetterAction.RESTORE, True),
        (DeadLetterAction.RESTORE, DeadLetterAction.DISCARD, True),
        (DeadLetterAction.RESTORE, DeadLetterAction.RESTORE, False),
    ],
)
def test_the_newest_action_in_kafka_decides(
    action: DeadLetterAction, newest: DeadLetterAction, wanted: bool
) -> None:
    shelf, postman, tail = Shelf(1), Postman(), AuditTail()
    tail.latest[shelf.ids[0]] = newest
    result = done(run(shelf, postman, action=action, tail=tail, rate=4))
    assert (postman.sent == shelf.ids) is wanted
    assert result.already == (not wanted)


def test_what_stays_failed_is_counted_and_costs_nothing_of_the_most() -> None:
    shelf, postman = Shelf(5), Postman(refuses=(f"{4:032x}",))
    result = done(run(shelf, postman, rate=100, unchanged=(f"{1:032x}",)))
    assert postman.sent == [shelf.ids[0], shelf.ids[2], shelf.ids[3]]
    assert (result.done, result.unchanged) == (3, 2)
    assert [one["why"] for one in result.examples] == [
        "no rule matches",
        "Kafka does not take it: too large",
    ]


def test_an_outage_leaves_it_stopped_with_what_was_done() -> None:
    shelf, postman = Shelf(7), Postman(fails_after=2)
    one = run(shelf, postman, rate=8)
    with pytest.raises(TransientError):
        one.execute()
    assert (one.result.status, one.result.done) == ("stopped", 4)


def test_a_cancel_ends_it_after_the_transaction_it_is_in() -> None:
    shelf, postman = Shelf(7), Postman()
    assert done(run(shelf, postman, rate=8, cancelled=True)).status == "cancelled"
    assert postman.sent == shelf.ids[:2]


def test_an_interrupt_ends_it_also_where_nothing_is_to_be_sent() -> None:
    shelf, postman = Shelf(7), Postman()
    result = done(run(shelf, postman, rate=8, interrupted=True, unchanged=tuple(shelf.ids)))
    assert (result.status, result.unchanged) == ("stopped", 0)
