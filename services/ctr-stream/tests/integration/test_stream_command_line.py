"""The verbs beside `run`, on a stack whose service is not running all the time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions
from stream_results import read_metrics, wait_until
from stream_stack import StreamStack, stream_stack
from stream_traffic import MINUTE, PARTITIONS, START, TOPIC_OF, AdEvent, events, expected_rows

from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS

MORE_PARTITIONS = {AD_IMPRESSIONS: 5, AD_CLICKS: 4, AD_CONVERSIONS: 2}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    directory: Path = tmp_path_factory.mktemp("commands")
    with stream_stack(directory) as running:
        yield running


def command(
    stack: StreamStack, *arguments: str, **overrides: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "roas_ctr_stream", *arguments],
        env={**os.environ, **stack.environment(**overrides)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def send(stack: StreamStack, sent: list[AdEvent], clock: int) -> None:
    sender = stack.sender()
    for event in sent:
        sender.send(event)
    sender.heartbeat(clock)
    sender.flush()


def test_a_missing_setting_or_schema_is_one_sentence_and_exit_code_2(stack: StreamStack) -> None:
    wrong = command(stack, "run", REGISTRY_URL="")
    assert wrong.returncode == 2
    assert "ROAS_CTR_STREAM_REGISTRY_URL" in wrong.stderr
    assert "Traceback" not in wrong.stderr

    subject = f"{stack.registry.url}/subjects/ad-metrics-5m-value"
    httpx.delete(subject, timeout=10).raise_for_status()
    try:
        missing = command(stack, "run")
        assert missing.returncode == 2
        assert "ad-metrics-5m-value is not registered" in missing.stderr
        assert "Traceback" not in missing.stderr
    finally:
        stack.prepare()


def test_no_cluster_is_exit_code_3(stack: StreamStack) -> None:
    done = command(stack, "status", "--json", FLINK_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "http://127.0.0.1:1" in done.stderr


def test_a_stopped_job_goes_on_with_another_parallelism_and_finds_new_partitions(
    stack: StreamStack,
) -> None:
    """An upgrade by savepoint, 1 to 2 subtasks; partitions added; from a checkpoint back to 1."""
    sent = list(events(21, START, START + 8 * MINUTE, 8_000))
    with stack.service(PARALLELISM="1", ON_STOP="leave"):
        send(stack, sent[:2_500], START + 2 * MINUTE)
        running = command(stack, "status", "--json")
        assert running.returncode == 0
        assert json.loads(running.stdout)["state"] == "RUNNING"
        wait_until(
            "a first window", lambda: read_metrics(stack.kafka.bootstrap).total(MINUTE)[0] > 0
        )
        stopped = command(stack, "stop", "--json")
        assert stopped.returncode == 0, stopped.stderr
        savepoint = Path(json.loads(stopped.stdout)["savepoint"])
        assert (savepoint / "_metadata").is_file()
    assert command(stack, "status").returncode == 1
    assert command(stack, "stop").returncode == 1

    with stack.service(PARALLELISM="2") as service:
        assert str(savepoint) in service.log_path.read_text()
        add_partitions(stack)
        send_everywhere(stack, sent[2_500:5_500], START + 5 * MINUTE)
        # Up to the fourth minute's end; the fifth is open while the clock is at its end.
        wait_for_minutes(stack, [e for e in sent[:5_500] if e.event_time < START + 4 * MINUTE])

    with stack.service(PARALLELISM="1") as service:
        assert "/chk-" in service.log_path.read_text()
        send_everywhere(stack, sent[5_500:], START + 16 * MINUTE)
        wait_until(
            "every event",
            lambda: sum(read_metrics(stack.kafka.bootstrap).total(5 * MINUTE)[:3]) >= len(sent),
            120,
        )
    metrics = read_metrics(stack.kafka.bootstrap)
    assert metrics.difference(expected_rows(sent)) == {}
    assert max(metrics.on_time.values()) == 1


def add_partitions(stack: StreamStack) -> None:
    admin = AdminClient({"bootstrap.servers": stack.kafka.bootstrap})
    grown = dict(MORE_PARTITIONS.items() - PARTITIONS.items())
    wanted = [NewPartitions(topic, total) for topic, total in grown.items()]
    for future in admin.create_partitions(wanted, operation_timeout=30).values():
        future.result(30)


def send_everywhere(stack: StreamStack, sent: list[AdEvent], clock: int) -> None:
    """Impressions and clicks to every partition in turn, the new ones too."""
    sender = stack.sender()
    for number, event in enumerate(sent):
        topic = TOPIC_OF[type(event)]
        sender.send(event, partition=number % MORE_PARTITIONS[topic])
    sender.heartbeat(clock, MORE_PARTITIONS)
    sender.flush()


def wait_for_minutes(stack: StreamStack, sent: list[AdEvent]) -> None:
    """Until that many events are in the one-minute metrics."""
    wait_until(
        f"{len(sent)} events in minutes",
        lambda: sum(read_metrics(stack.kafka.bootstrap).total(MINUTE)[:3]) >= len(sent),
        120,
    )


def test_vanished_checkpoints_are_refused(stack: StreamStack, tmp_path: Path) -> None:
    consumer = Consumer({"bootstrap.servers": stack.kafka.bootstrap, "group.id": "ctr-stream"})
    consumer.commit(offsets=[TopicPartition("ad-clicks", 1, 0)], asynchronous=False)
    consumer.close()
    elsewhere = tmp_path / "elsewhere"
    done = command(
        stack,
        "run",
        CHECKPOINTS=str(elsewhere / "checkpoints"),
        SAVEPOINTS=str(elsewhere / "savepoints"),
    )
    assert done.returncode == 2
    assert "ROAS_CTR_STREAM_CHECKPOINTS" in done.stderr


def test_local_counts_what_is_there_and_ends(tmp_path: Path) -> None:
    sent = list(events(22, START, START + 7 * MINUTE, 5_000))
    with stream_stack(tmp_path, cluster=False) as stack:
        send(stack, sent, START + 7 * MINUTE)
        done = command(stack, "local", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["state"] == "FINISHED"
        metrics = read_metrics(stack.kafka.bootstrap)
    assert metrics.difference(expected_rows(sent)) == {}
