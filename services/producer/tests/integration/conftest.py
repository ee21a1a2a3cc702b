"""One Kafka and one registry for the producer's integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from producer_stack import ProducerStack

from roas_local.components import KafkaBroker, SchemaRegistry


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProducerStack]:
    """The components, with topics and schemas."""
    folder = tmp_path_factory.mktemp("producer-stack")
    with (
        KafkaBroker(folder / "kafka") as kafka,
        SchemaRegistry(folder / "registry") as registry,
    ):
        stack = ProducerStack(kafka, registry, folder)
        stack.deploy()
        yield stack


@pytest.fixture()
def stack(running_stack: ProducerStack) -> Iterator[ProducerStack]:
    """The stack; producers that a test left running are ended."""
    try:
        yield running_stack
    finally:
        running_stack.end_all()
