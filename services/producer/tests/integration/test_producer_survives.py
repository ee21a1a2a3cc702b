"""kill -9, takeover, outages and stops in mid-stream: nothing lost, nothing twice."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

from expected_events import impressions_and_clicks
from producer_files import write_train_file
from producer_stack import Committed, Position, ProducerStack, wait_until

from roas_contracts.events import AdClick, AdConversion, AdImpression, DeadLetter, ProducerProgress
from roas_contracts.heartbeat import Heartbeat

EVENTS = ("ad-impressions", "ad-clicks", "ad-conversions")


def committed_events(
    stack: ProducerStack, since: Position
) -> tuple[Counter[tuple[str, int]], dict[str, list[Committed]]]:
    """Ids and times of all committed events, and the records."""
    records = stack.committed(since)
    found: Counter[tuple[str, int]] = Counter()
    for topic in EVENTS:
        for record in records[topic]:
            event = record.decoded
            if isinstance(event, AdImpression | AdClick | AdConversion):
                found[event.event_id, event.event_time] += 1
    return found, records


def uninterrupted(stack: ProducerStack, path: Path) -> Counter[tuple[str, int]]:
    """What one run without any trouble commits."""
    since = stack.position()
    stack.run("replay", path, "--again", "uninterrupted", "--no-errata")
    return committed_events(stack, since)[0]


def test_kill_9_inside_open_transactions_loses_and_repeats_nothing(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(
        tmp_path / "train.csv", hours=3, rows_an_hour=6_000, bad_every=97, seed=1
    )
    expected = uninterrupted(stack, path)
    since = stack.position()
    # Three hours of rows and six of what follows from them, in about 20 s.
    paced: list[str | Path] = ["replay", path, "--speed", "1800"]
    killed_inside = 0
    for attempt in range(12):
        process = stack.start(*paced, commit_interval_ms="400")
        process.wait_for_commits(1 + attempt % 3)
        process.wait_for_an_open_transaction()
        process.kill()
        killed_inside += process.transaction_is_open()
        if killed_inside == 5:
            break
    assert killed_inside == 5, "the kills have to hit open transactions"
    result = stack.run("replay", path)
    assert result["finished"]

    found, records = committed_events(stack, since)
    assert found == expected
    shown, clicked = impressions_and_clicks(path)
    assert {k: n for k, n in found.items() if not k[0].endswith("-v")} == shown + clicked

    letters = [record.decoded for record in records["dead-letters"]]
    lines = [letter.line or 0 for letter in letters if isinstance(letter, DeadLetter)]
    assert len(lines) == len(set(lines)) == result["dead_letters"] == 3 * 6_000 // 97
    errata = (tmp_path / "train.csv.errata.csv").read_text().splitlines()
    assert [int(line.split(",")[24]) for line in errata[1:]] == sorted(lines)

    steps = [r.decoded for r in records["producer-progress"]]
    emitted = [step.events_emitted for step in steps if isinstance(step, ProducerProgress)]
    assert emitted == sorted(set(emitted))
    assert emitted[-1] == found.total() + len(lines)


def test_heartbeats_never_go_back_on_their_promise_across_kills(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=2, rows_an_hour=2_000, seed=2)
    since = stack.position()
    for _ in range(2):
        process = stack.start("replay", path, "--speed", "3000", commit_interval_ms="200")
        process.wait_for_commits(3)
        process.kill()
    stack.run("replay", path)
    for topic in EVENTS:
        promised: dict[int, int] = {}
        for record in stack.committed(since)[topic]:
            event = record.decoded
            assert isinstance(event, Heartbeat | AdImpression | AdClick | AdConversion)
            assert event.event_time >= promised.get(record.partition, 0)
            if isinstance(event, Heartbeat):
                promised[record.partition] = event.event_time


def test_the_one_that_comes_later_takes_over(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=3_000, seed=3)
    expected = uninterrupted(stack, path)
    since = stack.position()
    first = stack.start("replay", path, "--speed", "10", commit_interval_ms="200")
    first.wait_for_commits(1)
    second = stack.run("replay", path)
    code, _ = first.finish(60)
    assert code == 1
    assert "another producer has taken over" in first.log_path.read_text()
    assert "Traceback" not in first.log_path.read_text()
    assert second["finished"]
    assert committed_events(stack, since)[0] == expected


def test_a_broker_that_dies_and_comes_back(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=6_000, seed=4)
    expected = uninterrupted(stack, path)
    since = stack.position()
    process = stack.start("replay", path, "--speed", "1500", commit_interval_ms="200")
    process.wait_for_commits(2)
    stack.kafka.kill()
    wait_until(lambda: process.named("kafka does not answer yet"), "the outage is noticed")
    stack.kafka.start()
    code, _ = process.finish(180)
    assert code == 0, process.log_path.read_text()[-3000:]
    assert committed_events(stack, since)[0] == expected


def test_sigterm_commits_and_the_same_command_goes_on(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=3_000, seed=6)
    expected = uninterrupted(stack, path)
    since = stack.position()
    process = stack.start("replay", path, "--json", "--speed", "400")
    process.wait_for_commits(1)
    process.process.send_signal(signal.SIGTERM)
    code, out = process.finish(30)
    stopped = json.loads(out)
    assert code == 0
    assert not stopped["finished"]
    assert 0 < stopped["events_emitted"] < expected.total()
    rest = stack.run("replay", path)
    assert rest["sent_now"] == expected.total() - stopped["events_emitted"]
    assert committed_events(stack, since)[0] == expected


def test_a_lost_errata_file_is_written_again(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(
        tmp_path / "train.csv", hours=2, rows_an_hour=1_500, bad_every=50, seed=7
    )
    errata = tmp_path / "errata.csv"
    paced: list[str | Path] = ["replay", path, "--errata", errata, "--speed", "2000"]
    process = stack.start(*paced, commit_interval_ms="200")
    process.wait_for_commits(5)
    process.kill()
    assert errata.read_text().count("\n") > 3
    errata.unlink()
    result = stack.run("replay", path, "--errata", errata)
    assert errata.read_text().count("\n") == 1 + result["dead_letters"] == 1 + 2 * 1_500 // 50
