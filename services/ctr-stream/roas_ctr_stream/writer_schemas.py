"""Registry ids of the schemas that the job writes with. It never registers any."""

from collections.abc import Iterable

import httpx
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.subjects import load_subject


def writer_schema_ids(registry_url: str, topics: Iterable[str]) -> dict[str, int]:
    """The id of our newest schema of each topic.

    Raises:
        MisconfigurationError: a schema is not registered.
        TransientError: the registry can't say now.
    """
    client = SchemaRegistryClient({"url": registry_url, "timeout": 5, "max.retries": 0})
    return {topic: _schema_id(client, registry_url, topic) for topic in topics}


def _schema_id(client: SchemaRegistryClient, registry_url: str, topic: str) -> int:
    contract = load_subject(topic)
    try:
        found = client.lookup_schema(contract.subject, Schema(contract.latest.text, "AVRO"))
    except SchemaRegistryError as error:
        if error.http_status_code != httpx.codes.NOT_FOUND:
            raise TransientError(
                f"the schema registry at {registry_url} answered {error.http_status_code} for "
                f"{contract.subject}"
            ) from error
        raise MisconfigurationError(
            f"version {contract.latest.number} of {contract.subject} is not registered at "
            f"{registry_url}: run `python -m roas_contracts register` first"
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise TransientError(f"no answer from the schema registry at {registry_url}") from error
    assert found.schema_id is not None, "a found schema has an id"
    return int(found.schema_id)
