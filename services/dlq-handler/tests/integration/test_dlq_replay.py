"""Replay, discard and restore: byte for byte, once, and never what was not meant."""

from __future__ import annotations

import pytest
from dlq_stack import DlqStack, letter

from roas_contracts import exit_codes
from roas_contracts.events import AD_CLICKS, DEAD_LETTER_ACTIONS, DeadLetterReason, OriginType


@pytest.fixture()
def kept(stack: DlqStack) -> DlqStack:
    """Fifty dead letters of clicks are stored."""
    stack.send([letter(number) for number in range(50)])
    stack.service()
    stack.wait_until_stored(50)
    return stack


def test_a_replay_sends_each_record_byte_for_byte_with_its_audit(kept: DlqStack) -> None:
    plan = kept.answer("replay")
    assert plan["dry_run"]
    assert plan["would_change"] == 50
    assert kept.committed(AD_CLICKS) == []

    result = kept.answer("replay", "--yes", "--as", "mina", "--why", "a test")
    assert (result["status"], result["done"]) == ("finished", 50)
    expected = {one.dead_letter_id: one for one in map(letter, range(50))}
    sent = kept.committed(AD_CLICKS)
    assert {one.replay_of for one in sent} == expected.keys()
    assert len(sent) == 50
    for one in sent:
        origin = expected[one.replay_of]
        assert (one.key, one.value, one.partition) == (origin.key, origin.value, origin.partition)
        added = ("roas-replay-of", origin.dead_letter_id.encode())
        assert one.headers == (*origin.headers, added)
    actions = kept.committed(DEAD_LETTER_ACTIONS)
    assert sorted(one.key or b"" for one in actions) == sorted(key.encode() for key in expected)
    kept.wait_until_states(replayed=50)
    (row,) = kept.answer("audit")
    assert (row["actor"], row["why"], row["done"]) == ("mina", "a test", 50)
    assert kept.dlq("replay", "--yes").returncode == exit_codes.NO


def test_what_was_replayed_is_not_replayed_again_though_postgres_does_not_know_it_yet(
    stack: DlqStack,
) -> None:
    stack.send([letter(number) for number in range(50)])
    service = stack.service()
    stack.wait_until_stored(50)
    service.kill()
    assert stack.answer("replay", "--yes", "--max", "20")["done"] == 20
    assert stack.states() == {"open": 50}
    result = stack.answer("replay", "--yes")
    assert (result["done"], result["already"]) == (30, 20)
    assert set(stack.replays().values()) == {1}
    assert len(stack.replays()) == 50
    stack.service()
    stack.wait_until_states(replayed=50)


def test_for_one_group_the_others_are_told_to_skip_it(kept: DlqStack) -> None:
    refused = kept.dlq("replay", "--yes", "--for-group", "batch")
    assert refused.returncode == exit_codes.NO
    assert "has not missed" in refused.stderr
    kept.answer("replay", "--yes", "--for-group", "ctr-stream", "--max", "3")
    for one in kept.committed(AD_CLICKS):
        assert one.headers[-1] == ("roas-for-group", b"ctr-stream")


def test_what_fails_again_and_again_is_quarantined(stack: DlqStack) -> None:
    chain = [letter(0)]
    for number in range(1, 5):
        chain.append(letter(number, replay_of=chain[-1].dead_letter_id))
    stack.send(list(reversed(chain)))
    stack.service(REPLAY_CAP="3")
    stack.wait_until_stored(5)
    stack.wait_until_states(open=3, quarantined=2)
    plan = stack.answer("replay")
    assert plan["would_change"] == 3
    assert stack.answer("replay", "--state", "quarantined")["would_change"] == 2


def test_discarded_ones_are_kept_and_can_be_restored(kept: DlqStack) -> None:
    assert kept.dlq("discard", "--yes").returncode == exit_codes.USAGE
    kept.answer("discard", "--yes", "--why", "a load test", "--key", "key-7")
    kept.wait_until_states(open=49, discarded=1)
    refused = kept.dlq("replay", "--state", "discarded")
    assert refused.returncode == exit_codes.NO
    assert "restore" in refused.stderr
    kept.answer("restore", "--yes")
    kept.wait_until_states(open=50)
    assert kept.committed(AD_CLICKS) == []


def test_refusals_say_what_to_do(stack: DlqStack) -> None:
    row = letter(
        5,
        origin_type=OriginType.FILE,
        topic=None,
        partition=None,
        offset=None,
        file_name="train.csv",
        file_sha256="0" * 64,
        line=7,
        dead_letter_id="f" * 32,
        reason=DeadLetterReason.INVALID_HOUR,
        consumer_group="producer",
    )
    stack.send(
        [
            row,
            letter(1),
            letter(2, topic="ad-impressions"),
            letter(3, topic="nobody-knows-it"),
            letter(1, consumer_group="batch"),
        ]
    )
    stack.service()
    stack.wait_until_stored(5)
    for arguments, says in (
        (("replay",), "--origin KAFKA"),
        (("replay", "--origin", "FILE"), "errata file"),
        (("replay", "--origin", "KAFKA"), "--topic"),
        (("replay", "--topic", "nobody-knows-it"), "no contract"),
        (("replay", "--topic", "ad-clicks"), "--for-group"),
        (("replay", "--topic", "ad-clicks", "--group", "batch"), "--for-group"),
        (("replay", "--key", "nothing"), "no dead letter matches"),
        (("replay", "--state", "replayed"), "not sent twice"),
        (("show", "f0"), "no dead letter"),
        (("cancel", "replay-1"), "no operation"),
        (("resume", "replay-1"), "no operation"),
    ):
        done = stack.dlq(*arguments)
        assert done.returncode in (exit_codes.NO, exit_codes.USAGE), done
        assert says in done.stderr, (arguments, done.stderr)
        assert done.stderr.count("\n") == 1
    production = stack.dlq("replay", "--topic", "ad-impressions", "--yes", ENVIRONMENT="production")
    assert production.returncode == exit_codes.NO
    assert "--confirm production" in production.stderr
