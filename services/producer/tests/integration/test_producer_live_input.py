"""Input that is slow, live or moved to the present; and settings that are wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
from producer_files import HEADER, line, write_train_file
from producer_stack import ProducerStack, wait_until

from roas_contracts.events import AdClick, AdImpression
from roas_contracts.heartbeat import Heartbeat
from roas_local.ports import free_port


def test_a_slow_pipe_gets_its_events_out_and_heartbeats_go_on(stack: ProducerStack) -> None:
    since = stack.position()
    process = stack.start("replay", "-", "--input-name", "live", "--json", commit_interval_ms="200")
    pipe = process.process.stdin
    assert pipe is not None

    def write(numbers: range, hour: str) -> None:
        text = "".join(line(number, hour, seed=20) + "\n" for number in numbers)
        pipe.write(text.encode())
        pipe.flush()

    pipe.write(f"{HEADER}\n".encode())
    write(range(100), "14102100")
    write(range(100, 101), "14102101")  # Only now it is known that the first hour is complete.

    def impressions() -> int:
        records = stack.committed(since)["ad-impressions"]
        return sum(isinstance(record.decoded, AdImpression) for record in records)

    wait_until(lambda: impressions() == 100, "the first hour is committed")
    commits = len(process.named("transaction committed"))
    wait_until(
        lambda: len(process.named("transaction committed")) >= commits + 3, "heartbeats go on"
    )
    beats = [r.decoded for r in stack.committed(since)["ad-clicks"] if r.key is None]
    clocks = [beat.event_time for beat in beats if isinstance(beat, Heartbeat)]
    assert max(clocks) <= 1_413_849_600_000 + 2 * 3_600_000
    assert max(clocks) >= 1_413_849_600_000 + 3_600_000
    pipe.close()
    process.process.stdin = None
    code, out = process.finish(60)
    assert code == 0
    assert json.loads(out)["impressions"] == 101


def test_a_stream_that_is_another_one_after_a_restart_is_refused(stack: ProducerStack) -> None:
    lines = [line(number, "14102100", seed=21) for number in range(2_000)]
    process = stack.start(
        "replay",
        "-",
        "--input-name",
        "same name",
        "--speed",
        "900",
        commit_interval_ms="200",
    )
    assert process.process.stdin is not None
    process.process.stdin.write("\n".join([HEADER, *lines]).encode())
    process.process.stdin.close()
    process.process.stdin = None
    process.wait_for_commits(3)
    process.kill()
    again = stack.start("replay", "-", "--input-name", "same name")
    assert again.process.stdin is not None
    again.process.stdin.write("\n".join([HEADER, *lines[::3]]).encode())
    again.process.stdin.close()
    again.process.stdin = None
    code, _ = again.finish(60)
    assert code == 2
    assert "not the one that was sent before" in again.log_path.read_text()


def test_rebased_events_carry_the_moment_they_are_sent(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=2_000, seed=22)
    since = stack.position()
    began = time.time() * 1000
    arguments: list[str | Path] = ["replay", path, "--rebase", "now", "--speed", "1200"]
    process = stack.start(*arguments, commit_interval_ms="200")
    process.wait_for_commits(4)
    process.kill()
    result = stack.run(*arguments)
    assert result["finished"]
    records = stack.committed(since)
    shown = [
        (record.decoded.event_time, record.timestamp_ms)
        for record in records["ad-impressions"]
        if isinstance(record.decoded, AdImpression)
    ]
    assert len(shown) == 2_000
    first, last = min(event for event, _ in shown), max(event for event, _ in shown)
    assert began <= first < began + 30_000
    # An hour in three seconds, also across the kill.
    assert 2_990 <= last - first <= 3_000
    assert all(event <= sent for event, sent in shown)
    clicks = [r.decoded for r in records["ad-clicks"] if isinstance(r.decoded, AdClick)]
    assert len(clicks) == 400
    assert all(click.event_time >= click.impression_time for click in clicks)


def test_health_readiness_and_metrics(stack: ProducerStack, tmp_path: Path) -> None:
    path = write_train_file(
        tmp_path / "train.csv", hours=1, rows_an_hour=2_000, bad_every=10, seed=23
    )
    port = free_port().number
    process = stack.start("replay", path, "--speed", "300", health_port=str(port))
    url = f"http://127.0.0.1:{port}"
    process.wait_for_commits(2)
    with httpx.Client(base_url=url, timeout=5) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["input"]) == (200, "train.csv")
        metrics = client.get("/metrics").text
    shown = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
    assert float(shown['roas_producer_events_total{topic="ad-impressions"}']) > 0
    assert float(shown['roas_producer_dead_letters_total{reason="INVALID_CLICK"}']) > 0
    assert float(shown["roas_producer_transactions_total"]) >= 2
    assert 1_413_849_600 <= float(shown["roas_producer_event_clock_seconds"]) < 1_413_860_000


def test_kafka_or_registry_away_is_one_sentence_and_exit_3(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = write_train_file(tmp_path / "train.csv", hours=1, rows_an_hour=10, seed=24)
    nowhere = f"127.0.0.1:{free_port().number}"
    for settings in (
        {"kafka_bootstrap": nowhere},
        {"registry_url": f"http://{nowhere}/apis/ccompat/v7"},
    ):
        process = stack.start("replay", path, startup_timeout_seconds="2", **settings)
        code, out = process.finish(60)
        assert code == 3
        assert out == b""
        said = process.log_path.read_text().splitlines()[-1]
        assert said.startswith("Error: ")
        assert "does not answer" in said


def test_an_input_error_comes_after_everything_before_it_is_committed(
    stack: ProducerStack, tmp_path: Path
) -> None:
    path = tmp_path / "unsorted.csv"
    rows = [line(number, f"141021{hour:02d}", seed=25) for number, hour in enumerate([0, 0, 1, 0])]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    since = stack.position()
    process = stack.start("replay", path)
    code, _ = process.finish(60)
    assert code == 2
    assert "unsorted.csv, line 5" in process.log_path.read_text().splitlines()[-1]
    records = stack.committed(since)["ad-impressions"]
    assert sum(isinstance(record.decoded, AdImpression) for record in records) == 2
