"""The service: every dead letter stored once, whatever is killed and whatever is in it."""

from __future__ import annotations

import random

from dlq_stack import DlqStack, letter, wait_until

from roas_contracts.events import DEAD_LETTER_ACTIONS, DEAD_LETTERS


def test_killed_again_and_again_it_stores_every_dead_letter_once(stack: DlqStack) -> None:
    chance = random.Random(3)
    letters = [letter(number) for number in range(6_000)]
    twice = letters[:500]
    for start in range(0, 6_000, 2_000):
        stack.send(letters[start : start + 2_000])
        service = stack.service(BATCH_MAX_RECORDS="200")
        seen = stack.stored()
        wanted = seen + chance.randrange(1, 1_500)
        wait_until("some are stored", lambda wanted=wanted: stack.stored() >= wanted)  # type: ignore[misc]
        service.kill()
    stack.send(twice)
    service = stack.service()
    service.wait_until_ready()
    wait_until(
        "all is read",
        lambda: stack.query("SELECT sum(records)::int FROM errors.consumed_offsets") == [(6_500,)],
    )
    assert stack.stored() == 6_000
    ids = {row[0] for row in stack.query("SELECT dead_letter_id FROM errors.dead_letters")}
    assert ids == {one.dead_letter_id for one in letters}
    deliveries = "SELECT count(*) FROM errors.dead_letters WHERE deliveries = 2"
    assert stack.query(deliveries) == [(500,)]
    metrics = service.metrics()
    assert "roas_dlq_handler_oldest_unresolved_age_seconds" in metrics
    assert service.stop() == 0


def test_poison_in_its_own_topics_is_kept_and_stops_nothing(stack: DlqStack) -> None:
    hostile = letter(1, detail="a\0b", headers=(("h\0", None),), first_failed_at=-(2**62))
    stack.produce(
        [
            (DEAD_LETTERS, b"k", b"\x01not ours"),
            (DEAD_LETTERS, None, None),
            (DEAD_LETTER_ACTIONS, None, b""),
            (DEAD_LETTERS, b"x", stack.codec.encode(hostile)),
        ]
    )
    service = stack.service()
    stack.wait_until_stored(4)
    service.wait_until_ready()
    rows = stack.query(
        "SELECT topic, consumer_group, reason FROM errors_v1.dead_letters ORDER BY topic, reason"
    )
    assert rows == [
        ("ad-clicks", "ctr-stream", "NOT_WIRE_FORMAT"),
        ("dead-letter-actions", "dlq-handler", "NOT_WIRE_FORMAT"),
        ("dead-letters", "dlq-handler", "NOT_WIRE_FORMAT"),
        ("dead-letters", "dlq-handler", "NULL_VALUE"),
    ]
    wait_until("the gauges are there", lambda: 'reason="NULL_VALUE"' in service.metrics())


def test_a_second_one_takes_over_and_the_first_leaves(stack: DlqStack) -> None:
    first = stack.service()
    first.wait_until_ready()
    second = stack.service()
    second.wait_until_ready()
    stack.send([letter(number) for number in range(10)])
    assert first.wait() == 1
    assert "taken over" in first.log
    stack.wait_until_stored(10)
    assert stack.stored() == 10
