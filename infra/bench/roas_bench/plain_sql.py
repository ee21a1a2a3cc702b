"""The stream's job in plain Flink SQL: its text for one deployment, and the tables it writes."""

import json
from importlib import resources
from string import Template
from typing import Any, Final

from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_contracts.subjects import load_subject

TOPIC_1M: Final = "bench-sql-1m"
TOPIC_5M: Final = "bench-sql-5m"

_DIMENSIONS: Final = (
    "event_time",
    "campaign_id",
    "placement_type",
    "placement_id",
    "banner_pos",
    "device_type",
)


def statements(bootstrap: str, registry_url: str) -> str:
    """The SQL, with addresses and with reader schemas of the few columns that are asked for."""
    source = {
        "connector": "kafka",
        "properties.bootstrap.servers": bootstrap,
        "properties.isolation.level": "read_committed",
        "scan.startup.mode": "earliest-offset",
        "scan.bounded.mode": "latest-offset",
        "format": "avro-confluent",
        "avro-confluent.url": registry_url,
    }
    sink = {
        "connector": "kafka",
        "properties.bootstrap.servers": bootstrap,
        "properties.transaction.timeout.ms": "900000",
        "properties.compression.type": "lz4",
        "sink.delivery-guarantee": "exactly-once",
        "sink.transaction-naming-strategy": "POOLING",
        "format": "avro-confluent",
        "avro-confluent.url": registry_url,
    }
    text = resources.files("roas_bench").joinpath("plain_sql.sql").read_text("utf-8")
    return Template(text).substitute(
        source=_options(source),
        sink=_options(sink),
        impressions_schema=_reader(AD_IMPRESSIONS, "cost_micros"),
        clicks_schema=_reader(AD_CLICKS, "cost_micros"),
        conversions_schema=_reader(AD_CONVERSIONS, "revenue_micros"),
        topic_1m=TOPIC_1M,
        topic_5m=TOPIC_5M,
    )


def _options(options: dict[str, str]) -> str:
    return ", ".join(f"'{name}' = '{value}'" for name, value in options.items())


def _reader(topic: str, money: str) -> str:
    """The contract's schema with those columns only, in the tables' order and without texts."""
    schema: dict[str, Any] = json.loads(load_subject(topic).latest.text)
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    wanted = [{"name": name, "type": _plain(fields[name])} for name in (*_DIMENSIONS, money)]
    return json.dumps({**_plain(schema), "fields": wanted})


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: value for key, value in node.items() if key != "doc"}
    return node
