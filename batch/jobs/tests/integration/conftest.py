"""Real servers once for all tests of the batch, a world of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_stack import BatchStack, Servers

from roas_local.components import KafkaBroker, PostgresServer, SchemaRegistry
from roas_local.layout import current


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("servers")
    with (
        KafkaBroker(root / "kafka") as kafka,
        SchemaRegistry(root / "registry") as registry,
        PostgresServer(root / "postgres") as postgres,
    ):
        yield Servers(kafka, registry, postgres)


@pytest.fixture()
def stack(servers: Servers, tmp_path: Path) -> Iterator[BatchStack]:
    migrations = current().repository / "infra" / "postgres" / "migrations"
    return BatchStack(servers, tmp_path, migrations, f"test_{uuid.uuid4().hex[:12]}")
