"""Real Kafka, registry, PostgreSQL and Redis, once for all tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from planted_pipeline import PlantedPipeline, Servers

from roas_local.components import KafkaBroker, PostgresServer, RedisServer, SchemaRegistry
from roas_local.layout import current
from roas_local.migrate import migrate


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    root = tmp_path_factory.mktemp("servers")
    with (
        KafkaBroker(root / "kafka") as kafka,
        SchemaRegistry(root / "registry") as registry,
        PostgresServer(root / "postgres") as postgres,
        RedisServer(root / "redis") as redis,
    ):
        migrate(postgres.dsn, current().repository / "infra" / "postgres" / "migrations")
        yield Servers(kafka.bootstrap, registry.url, postgres.dsn, redis.url)


@pytest.fixture(scope="session")
def planter(servers: Servers) -> PlantedPipeline:
    return PlantedPipeline(servers)


@pytest.fixture()
def freshly_planted(planter: PlantedPipeline) -> PlantedPipeline:
    """A finished, exact run whose topics may be damaged."""
    planter.clear()
    planter.plant()
    return planter


@pytest.fixture(scope="module")
def planted_topics(planter: PlantedPipeline) -> PlantedPipeline:
    planter.clear()
    planter.plant()
    return planter


@pytest.fixture()
def planted(planted_topics: PlantedPipeline) -> PlantedPipeline:
    """A finished, exact run whose tables and Redis may be damaged, but not its topics."""
    planted_topics.restore_stores()
    return planted_topics
