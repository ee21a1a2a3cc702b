"""Topics as subject.yaml says, and our records through a real broker."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from roas_contracts import exit_codes
from roas_contracts.codec import Codec
from roas_contracts.dead_letters import DeadLetterBuilder, kafka_dead_letter_id
from roas_contracts.decoder import Decoder
from roas_contracts.errors import MisconfigurationError, PoisonError, TransientError
from roas_contracts.events import TYPE_OF_TOPIC, DeadLetterReason
from roas_contracts.headers import of as headers_of
from roas_contracts.heartbeat import Heartbeat, heartbeat_headers
from roas_contracts.rules import Rules
from roas_contracts.subjects import Subject, contracts_directory, load_subject, load_subjects
from roas_contracts.topics import create_topics
from roas_corpus.records import EVENT_MS, NOW_MS, RECORDS
from roas_local.components import KafkaBroker


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as started:
        admin = AdminClient({"bootstrap.servers": started.bootstrap})
        done = create_topics(admin, load_subjects().values(), max_replication=1)
        assert all(result.created for result in done)
        yield started


@pytest.fixture()
def admin(kafka: KafkaBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.bootstrap})


def test_topics_have_the_settings_of_their_contracts(admin: AdminClient) -> None:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in load_subjects()]
    described = admin.describe_configs(resources, request_timeout=30)
    metadata = admin.list_topics(timeout=30)
    for resource, future in described.items():
        wanted = load_subject(resource.name).file.topic
        config = {name: entry.value for name, entry in future.result(timeout=30).items()}
        assert len(metadata.topics[resource.name].partitions) == wanted.partitions
        assert config["retention.ms"] == str(wanted.retention_ms)
        assert config["cleanup.policy"] == wanted.cleanup_policy
        assert config["max.message.bytes"] == str(wanted.max_message_bytes)
        assert config["min.insync.replicas"] == "1"
        assert config["message.timestamp.type"] == "CreateTime"


def test_creating_again_changes_nothing(admin: AdminClient) -> None:
    done = create_topics(admin, load_subjects().values(), max_replication=1)
    assert [result.topic for result in done] == list(load_subjects())
    assert not any(result.created for result in done)


def with_partitions(like: str, name: str, partitions: int, directory: Path) -> Subject:
    """A contract as the one of another topic, but for the number of partitions."""
    shutil.copytree(contracts_directory() / like, directory / str(partitions) / name)
    path = directory / str(partitions) / name / "subject.yaml"
    text = re.sub(r"partitions: \d+", f"partitions: {partitions}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    return load_subject(name, directory / str(partitions))


def test_partitions_are_added_and_never_taken_away(admin: AdminClient, tmp_path: Path) -> None:
    two, three = (with_partitions("ad-clicks", "grows", count, tmp_path) for count in (2, 3))
    for contract, created, added in ((two, True, 0), (three, False, 1), (three, False, 0)):
        (result,) = create_topics(admin, [contract], max_replication=1)
        assert (result.created, result.added_partitions) == (created, added)
        wait_for_partitions(admin, "grows", contract.file.topic.partitions)
    with pytest.raises(MisconfigurationError, match=r"grows has 3 partitions.* says 2"):
        create_topics(admin, [two], max_replication=1)


def with_topic(like: str, name: str, directory: Path, **settings: object) -> Subject:
    """A contract as the one of another topic, but for some of the topic's settings."""
    shutil.copytree(contracts_directory() / like, directory / name)
    path = directory / name / "subject.yaml"
    text = path.read_text("utf-8")
    for key, value in settings.items():
        text = re.sub(rf"{key}: .+", f"{key}: {value}", text)
    path.write_text(text, "utf-8")
    return load_subject(name, directory)


def config_of(admin: AdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    (future,) = admin.describe_configs([resource], request_timeout=30).values()
    return {name: entry.value for name, entry in future.result(timeout=30).items()}


def test_the_settings_of_a_topic_that_exists_become_those_of_its_contract(
    admin: AdminClient, tmp_path: Path
) -> None:
    day = 86_400_000
    old = with_topic("dead-letters", "had-4-mib", tmp_path / "old", max_message_bytes=4_194_304)
    new = with_topic("dead-letters", "had-4-mib", tmp_path / "new")
    create_topics(admin, [old], max_replication=1)
    (result,) = create_topics(admin, [new], max_replication=1)
    assert not result.created
    assert [str(each) for each in result.changed] == ["max.message.bytes 4194304 → 67108864"]
    assert config_of(admin, "had-4-mib")["max.message.bytes"] == "67108864"
    (again,) = create_topics(admin, [new], max_replication=1)
    assert again.changed == []

    shorter = with_topic("dead-letters", "had-4-mib", tmp_path / "shorter", retention_ms=day)
    with pytest.raises(MisconfigurationError, match=r"had-4-mib .*2592000000.*--may-delete"):
        create_topics(admin, [shorter], max_replication=1)
    assert config_of(admin, "had-4-mib")["retention.ms"] == "2592000000"
    create_topics(admin, [shorter], max_replication=1, may_delete=True)
    assert config_of(admin, "had-4-mib")["retention.ms"] == str(day)


def wait_for_partitions(admin: AdminClient, topic: str, count: int) -> None:
    """Until the broker shows them: its answer to the change comes before."""
    deadline = time.monotonic() + 30
    while True:
        found = admin.list_topics(timeout=30).topics.get(topic)
        if found is not None and len(found.partitions) == count:
            return
        assert time.monotonic() < deadline, f"{topic} has not got {count} partitions"
        time.sleep(0.1)


def test_a_compacted_topic_keeps_its_number_of_partitions(
    admin: AdminClient, tmp_path: Path
) -> None:
    changed = with_partitions("producer-progress", "producer-progress", 2, tmp_path)
    with pytest.raises(MisconfigurationError, match=r"producer-progress has 1 .* says 2"):
        create_topics(admin, [changed], max_replication=1)


def test_too_few_brokers_name_the_option(admin: AdminClient, tmp_path: Path) -> None:
    shutil.copytree(contracts_directory() / "ad-clicks", tmp_path / "not-there-yet")
    with pytest.raises(MisconfigurationError, match="not-there-yet.*--replication"):
        create_topics(admin, [load_subject("not-there-yet", tmp_path)])


def test_no_broker_is_said_in_time() -> None:
    nobody = AdminClient({"bootstrap.servers": "127.0.0.1:9", "log_level": 0})
    with pytest.raises(TransientError, match="Kafka does not answer"):
        create_topics(nobody, load_subjects().values(), timeout_seconds=1)


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roas_contracts", "topics", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_line_creates_topics(kafka: KafkaBroker) -> None:
    done = call("--bootstrap", kafka.bootstrap, "--replication", "1", "--json")
    assert (done.returncode, done.stderr) == (exit_codes.OK, "")
    rows = json.loads(done.stdout)
    assert [row["topic"] for row in rows] == list(load_subjects())
    assert not any(row["created"] for row in rows)


def test_the_command_line_says_that_kafka_is_away() -> None:
    done = call("--bootstrap", "127.0.0.1:9", "--timeout", "1")
    assert done.returncode == exit_codes.UNAVAILABLE
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("Error: Kafka does not answer")


class OwnSchema:
    def schema(self, schema_id: int) -> str:
        return load_subject("ad-clicks").latest.text


def test_records_heartbeats_and_poison_through_a_broker(kafka: KafkaBroker) -> None:
    topic = "ad-clicks"
    event = TYPE_OF_TOPIC[topic](**RECORDS[topic])
    headers: list[tuple[str, str | bytes | None]] = [
        ("trace", b"\xff\x00"),
        ("trace", None),
        ("roas-replay-of", b"0" * 32),
    ]
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all"})
    producer.produce(topic, Codec.for_topic(topic, 1).encode(event), key=b"k", partition=0)
    producer.produce(topic, None, partition=0, headers=[*heartbeat_headers(EVENT_MS)])
    producer.produce(
        topic, b"\x00\x00\x00\x00\x01\xff", key=b"\xfe", partition=0, headers=headers, timestamp=77
    )
    assert producer.flush(30) == 0

    good, heartbeat, poison = consume(kafka, topic, 3)
    decoder = Decoder(topic, OwnSchema(), Rules(group="g"))

    assert decoder.decode(good.value(), headers_of(good), NOW_MS) == event
    assert heartbeat.key() is None
    assert decoder.decode(heartbeat.value(), headers_of(heartbeat), NOW_MS) == Heartbeat(EVENT_MS)
    with pytest.raises(PoisonError) as caught:
        decoder.decode(poison.value(), headers_of(poison), NOW_MS)
    letter = DeadLetterBuilder("probe", "0.1.0", "g").from_record(
        poison, caught.value, stage="decode", now_ms=NOW_MS
    )
    assert letter.reason is DeadLetterReason.UNDECODABLE
    assert (letter.key, letter.value) == (b"\xfe", b"\x00\x00\x00\x00\x01\xff")
    assert letter.headers == tuple(headers)
    assert (letter.record_timestamp, letter.timestamp_type) == (77, "CREATE_TIME")
    assert (letter.schema_id, letter.replay_of) == (1, "0" * 32)
    assert letter.dead_letter_id == kafka_dead_letter_id(topic, 0, 2, "g")


def consume(kafka: KafkaBroker, topic: str, count: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "probe"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        messages: list[Message] = consumer.consume(count, timeout=30)
    finally:
        consumer.close()
    assert [message.error() for message in messages] == [None] * count
    return messages
