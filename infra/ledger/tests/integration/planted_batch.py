"""The batch as it leaves its tables, planted from Kafka's own records with nothing of its code."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition
from planted_pipeline import PlantedPipeline
from planted_run import EVENT_TOPICS

from roas_contracts.decoder import Decoder
from roas_contracts.errors import PoisonError
from roas_contracts.events import AdClick, AdConversion, AdImpression
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.subjects import load_subjects

DAY = "2014-10-21"
_TIMES = ("event_time", "impression_time", "click_time")


def plant_batch(planted: PlantedPipeline) -> None:
    """Archived ranges, raw rows and the built day, of everything that the event topics hold."""
    source = SchemaSource(Registry(planted.servers.registry_url))
    rules = Rules(group="ctr-stream", currency="USD")
    cluster = planted.admin.list_topics(timeout=10).cluster_id
    totals: dict[str, int] = dict.fromkeys(EVENT_TOPICS, 0)
    with psycopg.connect(planted.servers.dsn) as connection:
        for topic in EVENT_TOPICS:
            table = topic.replace("-", "_")
            connection.execute(
                f"CREATE TABLE raw.{table}_20141021 PARTITION OF raw.{table}"
                f" FOR VALUES IN ('{DAY}')"
            )
            decoder = Decoder(topic, source, rules)
            for number in range(load_subjects()[topic].file.topic.partitions):
                kinds: dict[str, int] = defaultdict(int)
                messages, end = _all(planted.servers.bootstrap, topic, number)
                for message in messages:
                    kinds["records"] += 1
                    try:
                        event = decoder.decode(message.value(), message.headers(), 2**52)
                    except PoisonError:
                        continue
                    if isinstance(event, AdImpression | AdClick | AdConversion):
                        kinds["events"] += 1
                        totals[topic] += 1
                        _insert(connection, table, message, event)
                if end:
                    connection.execute(
                        "INSERT INTO batch.archived_ranges (topic, topic_id, partition,"
                        " from_offset, to_offset, cluster_id, file, file_bytes, file_sha256,"
                        " records_sha256, events, heartbeats, poison, skipped, event_days)"
                        " VALUES (%s, 't', %s, 0, %s, %s, 'f', 1, '', '', %s, %s, 0, 0,"
                        " %s::date[])",
                        (
                            topic,
                            number,
                            end,
                            cluster,
                            kinds["events"],
                            kinds["records"] - kinds["events"],
                            [DAY],
                        ),
                    )
        connection.commit()  # now() of the day must be later than that of the ranges.
        connection.execute(
            "INSERT INTO batch.days VALUES (%s, clock_timestamp(), '', %s, %s, %s, 0, 0, 0, 0)",
            (DAY, *totals.values()),
        )


def clear_batch(planted: PlantedPipeline) -> None:
    """No batch any more."""
    with psycopg.connect(planted.servers.dsn) as connection:
        connection.execute("TRUNCATE batch.archived_ranges, batch.days")
        for topic in EVENT_TOPICS:
            connection.execute(f"DROP TABLE IF EXISTS raw.{topic.replace('-', '_')}_20141021")


def _insert(connection: Any, table: str, message: Any, event: Any) -> None:
    row: dict[str, Any] = {each.name: getattr(event, each.name) for each in fields(event)}
    for name, value in row.items():
        if name in _TIMES and value is not None:
            row[name] = datetime.fromtimestamp(value / 1000, UTC)
        elif isinstance(value, dict) or name == "attributes":
            row[name] = json.dumps(dict(value))
        elif isinstance(value, str):
            row[name] = str(value)
    row |= {
        "event_day": DAY,
        "partition": message.partition(),
        "offset": message.offset(),
        "record_timestamp": datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        "schema_id": 1,
    }
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(
        f"INSERT INTO raw.{table} ({names}) VALUES ({', '.join(['%s'] * len(row))})",
        list(row.values()),
    )


def _all(bootstrap: str, topic: str, partition: int) -> tuple[list[Any], int]:
    """Every committed record of a partition, and the offset behind the last."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "planter",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    found: list[Any] = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        while True:
            message = consumer.poll(15)
            assert message is not None, f"{topic}/{partition} was not read to its end"
            error = message.error()
            if error is None:
                found.append(message)
                continue
            assert error.code() == KafkaError._PARTITION_EOF, error
            offset = message.offset()
            assert offset is not None
            return found, offset
    finally:
        consumer.close()
