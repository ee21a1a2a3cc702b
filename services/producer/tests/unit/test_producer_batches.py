"""Records that go to the client in batches arrive as single ones would: on librdkafka's own mock
of a broker, in this process. What a real broker makes of it is tested in tests/integration."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from roas_contracts.errors import TransientError
from roas_producer.feed import Record
from roas_producer.heartbeats import heartbeats
from roas_producer.restore.archived import ArchivedRecord
from roas_producer.transactions import TransactionalSender, producer_config

_WAIT_SECONDS = 60.0
_RECORDS = [
    Record("impressions" if at % 5 else "clicks", b"v%d" % at, b"%d" % (at * 7919))
    for at in range(5_000)
]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    holder = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    metadata = holder.list_topics(timeout=_WAIT_SECONDS)
    yield ",".join(f"{broker.host}:{broker.port}" for broker in metadata.brokers.values())
    holder.purge()  # It lives as long as this client does.


def _sender(broker: str, transactional_id: str, queue: int = 200_000) -> TransactionalSender:
    config = producer_config(broker, transactional_id, 60_000)
    config["queue.buffering.max.messages"] = queue
    sender = TransactionalSender(Producer(config), 60_000, _WAIT_SECONDS, queue_records=queue)
    sender.take_over(_WAIT_SECONDS)
    return sender


def _read(broker: str, topic: str) -> dict[int, list[tuple[bytes | None, bytes | None]]]:
    """Key and value of each record, by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "test",
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",  # The mock does not know what is committed.
        }
    )
    partitions = consumer.list_topics(topic, timeout=_WAIT_SECONDS).topics[topic].partitions
    found: dict[int, list[tuple[bytes | None, bytes | None]]] = {at: [] for at in partitions}
    consumer.assign([TopicPartition(topic, at, 0) for at in found])
    ended: set[int | None] = set()
    deadline = time.monotonic() + _WAIT_SECONDS
    while len(ended) < len(found):
        assert time.monotonic() < deadline, "the end did not come"
        for message in consumer.consume(1_000, 0.2):
            if message.error():
                ended.add(message.partition())
            else:
                found[message.partition() or 0].append((message.key(), message.value()))
    consumer.close()
    return found


def _renamed(prefix: str) -> list[Record]:
    return [record._replace(topic=f"{prefix}-{record.topic}") for record in _RECORDS]


@pytest.mark.parametrize("queue", [200_000, 100], ids=["roomy", "full-again-and-again"])
def test_batches_keep_partition_and_order_of_every_record(broker: str, queue: int) -> None:
    single = Producer(producer_config(broker, f"single-{queue}", 60_000))
    single.init_transactions(_WAIT_SECONDS)
    single.begin_transaction()
    for record in _renamed(f"single-{queue}"):
        single.produce(record.topic, record.value, record.key)
    single.commit_transaction(_WAIT_SECONDS)

    sender = _sender(broker, f"batches-{queue}", queue)
    records = _renamed(f"batches-{queue}")
    for first in range(0, len(records), 2_500):
        sender.begin()
        sender.send(records[first : first + 1_000])
        sender.send(records[first + 1_000 : first + 2_500])
        sender.commit()

    for topic in ("impressions", "clicks"):
        sent = _read(broker, f"batches-{queue}-{topic}")
        assert sent == _read(broker, f"single-{queue}-{topic}")
        assert sum(map(len, sent.values())) == sum(r.topic == topic for r in _RECORDS)


def test_a_heartbeat_comes_behind_the_events_before_it(broker: str) -> None:
    sender = _sender(broker, "heartbeats")
    records = _renamed("beats")[:100]
    sender.begin()
    sender.send([*records, *heartbeats({"beats-impressions": 4}, 123), *records])
    sender.commit()
    for found in _read(broker, "beats-impressions").values():
        beat = found.index((None, None))
        assert found[:beat] == found[beat + 1 :]


def test_an_archived_record_goes_with_all_that_it_has(broker: str) -> None:
    sender = _sender(broker, "archived")
    record = ArchivedRecord("archived", b"v", b"k", 3, None, None, 1_000, [("a", b"1")])
    sender.begin()
    sender.send([record, record._replace(value=None, key=None)])
    sender.commit()
    assert _read(broker, "archived")[3] == [(b"k", b"v"), (None, None)]


def test_a_record_that_the_client_refuses_is_no_lost_record(broker: str) -> None:
    """It breaks the transaction: nothing of it is committed."""
    sender = _sender(broker, "refused")
    sender._outage_timeout = 0.5
    sender.begin()
    good, huge = Record("refused", b"good", b"k"), Record("refused", b"x" * 2_000_000, b"k")
    sender.send([good, huge, good])
    with pytest.raises(TransientError, match="did not take the records"):
        sender.commit()
