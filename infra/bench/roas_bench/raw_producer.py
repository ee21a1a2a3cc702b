"""The limit of the producer: the same client sends the same records, encoded before, in the same
transactions. A process of its own: `python -m roas_bench.raw_producer BOOTSTRAP`, prints JSON.
"""

import json
import sys
import time
from collections import defaultdict
from typing import Any, Final

from confluent_kafka import Producer

from roas_bench.traffic import messages

RECORDS_PER_TRANSACTION: Final = 50_000
"""As the producer's own default."""

# As roas_producer.transactions.producer_config.
_SETTINGS: Final[dict[str, Any]] = {
    "transactional.id": "bench-raw",
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 131_072,
    "delivery.report.only.error": True,
}


def send_again(bootstrap: str) -> dict[str, float]:
    """Read every event, then send it again as fast as it goes; events, seconds and CPU seconds."""
    records = [
        (str(message.topic()), {"value": message.value(), "key": message.key()})
        for message in messages(bootstrap)
        if message.value() is not None
    ]
    producer = Producer({"bootstrap.servers": bootstrap, **_SETTINGS})
    producer.init_transactions(60)
    began, cpu_began = time.monotonic(), time.process_time()
    for start in range(0, len(records), RECORDS_PER_TRANSACTION):
        producer.begin_transaction()
        batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for topic, message in records[start : start + RECORDS_PER_TRANSACTION]:
            batches[topic].append(message)
        for topic, batch in batches.items():
            _send(producer, topic, batch)
        producer.commit_transaction(60)
    return {
        "events": len(records),
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu_began,
    }


def _send(producer: Producer, topic: str, batch: list[dict[str, Any]]) -> None:
    """The quickest way that the client has."""
    while producer.produce_batch(topic, batch) < len(batch):
        batch = [message for message in batch if message.pop("_error", None)]
        producer.poll(0.05)


if __name__ == "__main__":
    print(json.dumps(send_again(sys.argv[1])))
