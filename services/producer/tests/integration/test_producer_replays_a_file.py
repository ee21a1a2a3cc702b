"""A whole file through real Kafka: every event once, heartbeats, progress, dead letters."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from expected_events import impressions_and_clicks
from producer_files import write_train_file
from producer_stack import ProducerStack

from roas_contracts.decoder import Decoded
from roas_contracts.events import (
    AdClick,
    AdConversion,
    AdImpression,
    DeadLetter,
    DeadLetterReason,
    ProducerProgress,
    Source,
)
from roas_contracts.heartbeat import Heartbeat

REPOSITORY = Path(__file__).resolve().parents[4]
AVAZU = Path(os.environ.get("ROAS_AVAZU_DIR", REPOSITORY.parent / "shared" / "data" / "avazu"))


def test_six_thousand_real_rows(stack: ProducerStack) -> None:
    path = AVAZU / "train-6000.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here: Avazu's rows are not part of the project")
    since = stack.position()
    result = stack.run("replay", path, "--no-errata")
    assert (result["impressions"], result["clicks"]) == (6_000, 1_031)
    assert result["finished"]
    records = stack.committed(since)
    shown, clicked = impressions_and_clicks(path)
    impressions = [r.decoded for r in records["ad-impressions"] if r.key is not None]
    clicks = [r.decoded for r in records["ad-clicks"] if r.key is not None]
    assert len(impressions) == 6_000
    assert len(clicks) == 1_031
    assert Counter(map(id_and_time, impressions)) == shown
    assert Counter(map(id_and_time, clicks)) == clicked


def id_and_time(event: Decoded) -> tuple[str, int]:
    assert isinstance(event, AdImpression | AdClick | AdConversion)
    return event.event_id, event.event_time


def test_every_event_once_in_order_with_its_key(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=3, rows_an_hour=2_000, bad_every=500)
    dry = stack.run("replay", path, "--dry-run")
    since = stack.position()
    result = stack.run("replay", path)
    for name in ("impressions", "clicks", "conversions", "dead_letters"):
        assert result[name] == dry[name], name
    records = stack.committed(since)
    shown, clicked = impressions_and_clicks(path)
    ids: Counter[tuple[str, int]] = Counter()
    for topic, kind in (
        ("ad-impressions", AdImpression),
        ("ad-clicks", AdClick),
        ("ad-conversions", AdConversion),
    ):
        newest: dict[int, int] = defaultdict(int)
        for record in records[topic]:
            event = record.decoded
            if isinstance(event, Heartbeat):
                continue
            assert type(event) is kind
            assert isinstance(event, AdImpression | AdClick | AdConversion)
            assert event.source is Source.AVAZU
            assert event.event_time >= newest[record.partition]
            newest[record.partition] = event.event_time
            if isinstance(event, AdImpression):
                impression_id = event.event_id
            else:
                impression_id = event.impression_id
            assert record.key == impression_id.encode()
            ids[event.event_id, event.event_time] += 1
    conversions = [r for r in records["ad-conversions"] if r.key is not None]
    assert len(conversions) == dry["conversions"] > 0
    assert {key: n for key, n in ids.items() if not key[0].endswith("-v")} == shown + clicked


def test_heartbeats_promise_what_is_kept_and_the_last_closes_every_window(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=2, rows_an_hour=3_000)
    since = stack.position()
    result = stack.run("replay", path, "--speed", "4000", commit_interval_ms="200")
    records = stack.committed(since)
    last_event = result["emitted_through"]
    expected_end = last_event - last_event % 300_000 + 300_000 + 60_000
    for topic, partitions in (("ad-impressions", 4), ("ad-clicks", 2), ("ad-conversions", 2)):
        promised: dict[int, int] = {}
        for record in records[topic]:
            if isinstance(record.decoded, Heartbeat):
                assert record.key is None
                assert record.decoded.event_time >= promised.get(record.partition, 0)
                promised[record.partition] = record.decoded.event_time
            else:
                assert isinstance(record.decoded, AdImpression | AdClick | AdConversion)
                assert record.decoded.event_time >= promised.get(record.partition, 0)
        assert promised == {partition: expected_end for partition in range(partitions)}
        beats = [r for r in records[topic] if isinstance(r.decoded, Heartbeat)]
        # Several each; how many depends on how busy the machine is.
        assert len(beats) > 2 * partitions


def test_bad_rows_are_dead_letters_byte_for_byte_and_an_errata_file(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=2, rows_an_hour=500, bad_every=50)
    since = stack.position()
    result = stack.run("replay", path)
    letters = [record.decoded for record in stack.committed(since)["dead-letters"]]
    raw_lines = path.read_bytes().splitlines()
    assert len(letters) == result["dead_letters"] == 20
    assert result["rows_read"] == result["impressions"] + result["dead_letters"] == 1_000
    reasons = set()
    for letter in letters:
        assert isinstance(letter, DeadLetter)
        assert letter.line is not None
        assert letter.value == raw_lines[letter.line - 1]
        assert letter.file_name == "train.csv"
        reasons.add(letter.reason)
    assert reasons == {
        DeadLetterReason.INVALID_CLICK,
        DeadLetterReason.INVALID_ID,
        DeadLetterReason.INVALID_HOUR,
        DeadLetterReason.MISSING_COLUMN,
    }
    errata = (tmp_path / "train.csv.errata.csv").read_text().splitlines()
    assert len(errata) == 21


def test_a_finished_input_says_so_and_sends_nothing(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=50)
    assert stack.run("replay", path)["finished"]
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    since = stack.position()
    process = stack.start("replay", copy)
    code, out = process.finish()
    assert code == 0
    assert "was sent to its end before" in out.decode()
    assert stack.position() == since
    again = stack.run("replay", path, "--again", "second")
    assert again["impressions"] == again["rows_read"] == 50
    assert not again["already_finished"]


def test_progress_is_written_with_the_events(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=400)
    since = stack.position()
    result = stack.run("replay", path, "--sample", "50%", "--limit", "100")
    records = stack.committed(since)
    progress = records["producer-progress"][-1].decoded
    assert isinstance(progress, ProducerProgress)
    assert records["producer-progress"][-1].key == progress.input.encode()
    assert progress.finished
    assert progress.impressions == progress.rows_read == 100 == result["impressions"]
    assert json.loads(progress.options)["limit"] == 100
    sent = [r for r in records["ad-impressions"] if isinstance(r.decoded, AdImpression)]
    assert len(sent) == 100


def test_generated_rows_are_marked_as_such(stack: ProducerStack) -> None:
    since = stack.position()
    stack.run("generate", "--rows", "500", "--hours", "1", "--seed", "77")
    events = [r.decoded for r in stack.committed(since)["ad-impressions"] if r.key is not None]
    assert len(events) == 500
    assert {e.source for e in events if isinstance(e, AdImpression)} == {Source.GENERATED}
