"""The real Schema Registry: start, use, kill -9, start again."""

import json
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from roas_local.components import SchemaRegistry


def schema(*fields: dict[str, str]) -> Schema:
    record = {"type": "record", "name": "Thing", "fields": list(fields)}
    return Schema(json.dumps(record), "AVRO")


ID = {"name": "id", "type": "string"}
COUNT = {"name": "count", "type": "long"}


def test_schemas_survive_kill_9_and_compatibility_is_on(tmp_path: Path) -> None:
    with SchemaRegistry(tmp_path) as registry:
        with SchemaRegistryClient({"url": registry.url}) as client:
            schema_id = client.register_schema("thing-value", schema(ID))
        registry.kill()
        registry.start()
        with SchemaRegistryClient({"url": registry.url}) as client:
            assert client.get_latest_version("thing-value").schema_id == schema_id
            with pytest.raises(SchemaRegistryError) as refused:
                client.register_schema("thing-value", schema(ID, COUNT))
        assert refused.value.http_status_code == 409
