"""The composition root: wires a plan, Kafka and the registry, and runs them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import Producer

from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.errors import FencedError
from roas_contracts.events import (
    DEAD_LETTERS,
    EVENT_TOPICS,
    PRODUCER_PROGRESS,
    ProducerProgress,
)
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.service.health import HealthServer, Readiness
from roas_contracts.service.stop import StopSignal
from roas_producer.connect import (
    EventPartitions,
    partition_counts,
    patiently,
    written_schemas,
)
from roas_producer.display import row_progress
from roas_producer.emission import Cadence, Emission, Stop
from roas_producer.errata import Errata
from roas_producer.feed import Feed, Record
from roas_producer.input_key import KeyOptions, input_key
from roas_producer.metrics import ProducerMetrics
from roas_producer.pacing import Pace
from roas_producer.plans import EmissionPlan, Registered
from roas_producer.progress import fresh
from roas_producer.progress_store import read_progress
from roas_producer.rows import BadRow
from roas_producer.settings import ProducerSettings
from roas_producer.transactions import (
    TransactionalSender,
    TransactionExpiredError,
    producer_config,
)
from roas_producer.version import SERVICE

_STALLED_SECONDS = 60.0
_NEW_OBJECTS = 200_000

log = structlog.get_logger("roas_producer.app")


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    plan: EmissionPlan
    options: KeyOptions
    speed: Fraction | None
    """Pace; None is as fast as possible."""
    errata: Path | None
    show_progress: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    progress: ProducerProgress
    already_finished: bool
    """The input had been sent to its end before: nothing was sent now."""
    sent_events: int
    """Events and file dead letters sent by this run."""
    seconds: float


def wall_clock_ms() -> int:
    """Now, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def emit(request: Request, settings: ProducerSettings) -> Outcome:
    """Send a plan, or the rest of it, until its end or a signal to stop.

    Raises:
        InputError: the input is wrong; all before that is committed.
        MisconfigurationError: a setting, topic or schema is wrong or missing.
        TransientError: Kafka or the registry is away for too long.
        FencedError: another producer took this input over.
    """
    began = time.monotonic()
    # Rows and events come by the million and are in no cycles: to look through them for garbage
    # after every 700 new ones is a tenth of the time.
    gc.set_threshold(_NEW_OBJECTS)
    run = _Run(request, settings)
    name = request.plan.name
    with (
        StopSignal() as stop,
        HealthServer(settings.health_port, run.readiness, registry=run.metrics.registry),
        row_progress(name, request.plan.total_rows, request.show_progress) as update,
    ):

        def committed(progress: ProducerProgress) -> None:
            update(progress.rows_read, progress.events_emitted, progress.emitted_through)

        return run.to_the_end(stop, committed, began)


class _Run:
    """One process's run: sessions with Kafka, more than one where a transaction expired."""

    def __init__(self, request: Request, settings: ProducerSettings) -> None:
        self._request = request
        self._settings = settings
        self._key = input_key(request.plan.sha256, request.options)
        self._registry = Registry(
            settings.registry_url, patience_seconds=settings.startup_timeout_seconds
        )
        self._emission: Emission | None = None
        self.metrics = ProducerMetrics()

    def to_the_end(
        self, stop: Stop, committed: Callable[[ProducerProgress], None], began: float
    ) -> Outcome:
        """Sessions until one ends well."""
        first: ProducerProgress | None = None
        possible: list[ProducerProgress] | None = None
        while True:
            with _Session(self._settings, self._key, self._registry, stop) as session:
                progress = session.progress(self._request)
                if possible is not None and progress not in possible:
                    raise FencedError(
                        "another producer has gone on with this input meanwhile: this one stops"
                    )
                if progress.finished:
                    return Outcome(progress, True, 0, time.monotonic() - began)
                first = first or progress
                self._emission = session.emission(self._request, progress, self.metrics, committed)
                try:
                    self._emission.run()
                except TransactionExpiredError as error:
                    if not self._request.plan.repeatable or stop.is_set():
                        raise
                    possible = self._emission.possible
                    log.warning("starting anew from what was committed", reason=str(error))
                    continue
                done = self._emission.progress
                sent = done.events_emitted - first.events_emitted
                return Outcome(done, False, sent, time.monotonic() - began)

    def readiness(self) -> Readiness:
        """Ready while transactions are being committed."""
        emission = self._emission
        if emission is None:
            return Readiness(False, {"state": "connecting"})
        age = time.monotonic() - emission.last_commit
        progress = emission.progress
        return Readiness(
            age < _STALLED_SECONDS,
            {
                "state": "finished" if progress.finished else "sending",
                "input": progress.input_name,
                "rows_read": progress.rows_read,
                "emitted_through": progress.emitted_through,
                "seconds_since_commit": round(age, 1),
            },
        )


class _Session:
    """One transactional client, from taking over to its last commit. A context manager."""

    def __init__(
        self, settings: ProducerSettings, key: str, registry: Registry, stop: Stop
    ) -> None:
        self._settings = settings
        self._key = key
        self._registry = registry
        self._stop = stop
        self._feed: Feed | None = None
        self._errata: Errata | None = None
        self._producer = Producer(
            producer_config(
                settings.kafka_bootstrap,
                f"roas-{SERVICE}-{key}",
                settings.transaction_timeout_ms,
            )
        )
        self._sender = TransactionalSender(
            self._producer,
            settings.transaction_timeout_ms,
            settings.outage_timeout_seconds,
            stop.is_set,
        )

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._feed is not None:
            self._feed.stop()
        self._sender.abandon()
        if self._errata is not None:
            self._errata.close()

    def progress(self, request: Request) -> ProducerProgress:
        """Take the input over, and find out where it stands."""
        settings, patience = self._settings, self._settings.startup_timeout_seconds
        self._partitions = patiently(
            patience,
            lambda: partition_counts(
                self._producer, [*EVENT_TOPICS, DEAD_LETTERS, PRODUCER_PROGRESS]
            ),
        )
        self._schemas = written_schemas(self._registry)
        self._sender.take_over(patience)
        decoder = Decoder(
            PRODUCER_PROGRESS,
            SchemaSource(self._registry),
            Rules(group=SERVICE, currency=request.plan.currency),
        )
        found = read_progress(settings.kafka_bootstrap, self._key, decoder, patience)
        log.info(
            "input taken over",
            input=self._key,
            name=request.plan.name,
            events_emitted=0 if found is None else found.events_emitted,
        )
        return found or fresh(self._key, request.plan.name, request.options.recorded())

    def emission(
        self,
        request: Request,
        progress: ProducerProgress,
        metrics: ProducerMetrics,
        committed: Callable[[ProducerProgress], None],
    ) -> Emission:
        """Everything wired, the feed started."""
        plan, settings = request.plan, self._settings
        dead_letters = Codec.for_topic(DEAD_LETTERS, self._registry.schema_id(DEAD_LETTERS))
        passage = plan.passage(Registered(self._schemas, dead_letters), wall_clock_ms)
        if request.errata is not None:
            self._errata = Errata(request.errata, plan.errata_layout)
        whole = self._errata is not None and not self._errata.resume(progress.dead_letters)

        def left_out(row: BadRow) -> None:
            if whole and self._errata is not None:
                self._errata.add([row], sync=False)

        self._feed = Feed(lambda: passage.chunks(progress, whole, left_out))
        self._feed.start()
        return Emission(
            feed=self._feed,
            sender=self._sender,
            progress=progress,
            progress_record=_progress_encoder(self._key, self._registry),
            pace=_pace_maker(request),
            partitions=EventPartitions(self._producer, self._partitions),
            row_kinds=plan.row_kinds,
            errata=self._errata,
            metrics=metrics,
            stop=self._stop,
            cadence=Cadence(settings.commit_interval_ms / 1000, settings.commit_records),
            now_ms=wall_clock_ms,
            shift_ms=lambda: passage.shift_ms,
            committed=committed,
        )


def _progress_encoder(key: str, registry: Registry) -> Callable[[ProducerProgress], Record]:
    codec = Codec.for_topic(PRODUCER_PROGRESS, registry.schema_id(PRODUCER_PROGRESS))

    def record(progress: ProducerProgress) -> Record:
        return Record(PRODUCER_PROGRESS, codec.encode(progress), key.encode())

    return record


def _pace_maker(request: Request) -> Callable[[int, int], Pace]:
    # Rebased event times are the wall clock themselves: nothing else has to be waited for.
    speed = None if request.plan.rebased else request.speed
    return lambda event_ms, wall_ms: Pace(speed, event_ms, wall_ms)


def summary(outcome: Outcome) -> dict[str, Any]:
    """What a script may want to know of a run."""
    progress = outcome.progress
    return {
        "input": progress.input,
        "input_name": progress.input_name,
        "finished": progress.finished,
        "already_finished": outcome.already_finished,
        "rows_read": progress.rows_read,
        "impressions": progress.impressions,
        "clicks": progress.clicks,
        "conversions": progress.conversions,
        "dead_letters": progress.dead_letters,
        "events_emitted": progress.events_emitted,
        "emitted_through": progress.emitted_through,
        "sent_now": outcome.sent_events,
        "seconds": round(outcome.seconds, 3),
    }
