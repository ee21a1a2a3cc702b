"""Real servers once for all tests of the cache-writer, a world of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cache_writer_stack import CacheWriterStack, Servers

from roas_local.components import KafkaBroker, PostgresServer, RedisServer, SchemaRegistry
from roas_local.layout import current


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("servers")
    with (
        KafkaBroker(root / "kafka") as kafka,
        SchemaRegistry(root / "registry") as registry,
        PostgresServer(root / "postgres") as postgres,
        RedisServer(root / "redis") as redis,
    ):
        yield Servers(kafka, registry, postgres, redis)


@pytest.fixture()
def stack(servers: Servers, tmp_path: Path) -> Iterator[CacheWriterStack]:
    migrations = current().repository / "infra" / "postgres" / "migrations"
    world = CacheWriterStack(servers, tmp_path, migrations, f"test_{uuid.uuid4().hex[:12]}")
    try:
        yield world
    finally:
        world.close()
