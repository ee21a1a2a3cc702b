"""The composition root: settings in, a running cache-writer out."""

from __future__ import annotations

import time

import structlog

from roas_cache_writer import READER, SERVICE, __version__
from roas_cache_writer.batch import Classifier
from roas_cache_writer.deltas import SIZE_OF_TOPIC
from roas_cache_writer.live_copy import LiveCopy
from roas_cache_writer.plain import PlainReader
from roas_cache_writer.settings import Settings
from roas_cache_writer.stores import make_cache, make_store
from roas_cache_writer.telemetry import Telemetry
from roas_cache_writer.writer import Writer, WriterOptions
from roas_contracts.codec import Codec
from roas_contracts.consuming.dead_letter_limit import DeadLetterLimit
from roas_contracts.consuming.dead_letter_sink import DeadLetterSink
from roas_contracts.consuming.source import CommittedSource
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.events import DEAD_LETTERS
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.service import logs
from roas_contracts.service.health import HealthServer
from roas_contracts.service.stop import StopSignal


def run(settings: Settings) -> None:
    """Run the service until SIGTERM, Ctrl-C or an error that waiting can't help.

    Raises:
        FencedError: another instance took over.
        MisconfigurationError: a person has to change something.
    """
    logs.configure(SERVICE, __version__)
    log = structlog.get_logger("roas_cache_writer")
    # The loop waits for the registry by itself, and looks out for the signal to stop meanwhile.
    registry = Registry(settings.registry_url, patience_seconds=2)
    schemas = SchemaSource(registry)
    rules = Rules(group=SERVICE, currency=settings.currency)
    decoders = {topic: Decoder(topic, schemas, rules) for topic in SIZE_OF_TOPIC}
    plain = {
        topic: PlainReader(topic, size, schemas, rules) for topic, size in SIZE_OF_TOPIC.items()
    }
    letters = DeadLetterBuilder(SERVICE, __version__, SERVICE)

    def classifier() -> Classifier:
        limit = DeadLetterLimit(
            READER.settings_prefix,
            settings.max_consecutive_dead_letters,
            settings.max_dead_letter_share,
        )
        return Classifier(decoders, plain, letters, limit, _now_ms)

    telemetry = Telemetry()
    source = CommittedSource(settings.kafka_bootstrap, READER, SIZE_OF_TOPIC)
    store, cache = make_store(settings), make_cache(settings)
    sink = DeadLetterSink(
        settings.kafka_bootstrap,
        READER,
        lambda: Codec.for_topic(DEAD_LETTERS, registry.schema_id(DEAD_LETTERS)),
    )
    live_copy = LiveCopy(cache, telemetry)
    options = WriterOptions(
        settings.batch_max_records,
        settings.batch_linger_ms / 1000,
        settings.accept_lost_records,
    )
    with (
        StopSignal() as stop,
        HealthServer(settings.health_port, telemetry.status.readiness, host=settings.health_host),
    ):
        writer = Writer(source, store, sink, live_copy, classifier, telemetry, options, stop)
        log.info("started")
        try:
            writer.run()
        finally:
            source.close()
            store.close()
            cache.close()
    log.info("stopped")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
