"""The composition root: settings in, a running service or a ready tool out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from roas_contracts.codec import Codec
from roas_contracts.consuming.source import CommittedSource
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.events import DEAD_LETTER_ACTIONS, DEAD_LETTERS
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.service import logs
from roas_contracts.service.health import HealthServer
from roas_contracts.service.settings import load
from roas_contracts.service.stop import StopSignal
from roas_dlq_handler import READER, SERVICE, __version__
from roas_dlq_handler.intake import Intake
from roas_dlq_handler.keeper import Keeper, KeeperOptions
from roas_dlq_handler.settings import Settings
from roas_dlq_handler.store import Store
from roas_dlq_handler.telemetry import Telemetry
from roas_dlq_handler.tool import Tool, now_ms


def run(settings: Settings) -> None:
    """Run the service until SIGTERM, Ctrl-C or an error that waiting can't help.

    Raises:
        FencedError: another instance took over.
        MisconfigurationError: a person has to change something.
    """
    logs.configure(SERVICE, __version__)
    log = structlog.get_logger("roas_dlq_handler")
    # The loop waits for the registry by itself, and looks out for the signal to stop meanwhile.
    registry = Registry(settings.registry_url, patience_seconds=2)
    schemas = SchemaSource(registry)
    topics = (DEAD_LETTERS, DEAD_LETTER_ACTIONS)
    intake = Intake(
        {topic: Decoder(topic, schemas, Rules(group=SERVICE)) for topic in topics},
        DeadLetterBuilder(SERVICE, __version__, SERVICE),
        lambda: Codec.for_topic(DEAD_LETTERS, registry.schema_id(DEAD_LETTERS)),
        now_ms,
    )
    telemetry = Telemetry()
    source = CommittedSource(settings.kafka_bootstrap, READER, topics)
    store = Store(settings.postgres_dsn.get_secret_value(), settings.replay_cap)
    options = KeeperOptions(
        settings.batch_max_records,
        settings.batch_linger_ms / 1000,
        settings.accept_lost_records,
    )
    with (
        StopSignal() as stop,
        HealthServer(settings.health_port, telemetry.status.readiness, host=settings.health_host),
    ):
        log.info("started")
        try:
            Keeper(source, store, intake, telemetry, options, stop).run()
        finally:
            source.close()
            store.close()
    log.info("stopped")


@contextmanager
def tool_of_this_process() -> Iterator[Tool]:
    """What a verb works with, by this process's settings; closed behind it.

    Raises:
        MisconfigurationError: a setting is missing or not usable.
    """
    tool = Tool(_settings())
    try:
        yield tool
    finally:
        tool.close()


def store_of_this_process() -> Store:
    """PostgreSQL as the service uses it, not opened; raises as `tool_of_this_process`."""
    settings = _settings()
    return Store(settings.postgres_dsn.get_secret_value(), settings.replay_cap)


def _settings() -> Settings:
    logs.configure(SERVICE, __version__, usual_level="error")
    return load(Settings)
