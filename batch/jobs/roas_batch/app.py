"""The composition root: settings in, what the verbs need out, connected as late as possible."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from functools import cached_property

from roas_batch.archiving import Archiver, Done, Limits
from roas_batch.catalog import Catalog, stale_days
from roas_batch.checking import Checker
from roas_batch.judging import Judge
from roas_batch.kafka import Kafka
from roas_batch.planning import Log, Plan, Span, check_identity, plan
from roas_batch.postgres import Connection, connect, translated
from roas_batch.rebuilding import Rebuilder
from roas_batch.reconcile.comparison import Comparison
from roas_batch.reconcile.corrections import CorrectionSender
from roas_batch.reconcile.deltas import SIZE_OF_TOPIC
from roas_batch.reconcile.run import Outcome, Reconciliation
from roas_batch.reconcile.watching import WatchedKafka
from roas_batch.settings import Settings
from roas_contracts.codec import Codec
from roas_contracts.errors import MisconfigurationError
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.registry import Registry, SchemaSource


class Batch:
    """What the verbs need. Use it as a context manager: it closes what it opened.

    Args:
        settings: the deployment's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        opened = vars(self)
        for name in ("kafka", "connection", "_registry"):
            if name in opened:
                opened[name].close()

    @cached_property
    def connection(self) -> Connection:
        """PostgreSQL."""
        return connect(self.settings.postgres_dsn.get_secret_value(), "roas-batch")

    @cached_property
    def kafka(self) -> Kafka:
        """Kafka."""
        return Kafka(self.settings.kafka_bootstrap)

    @cached_property
    def _registry(self) -> Registry:
        # Whoever started this waits, or starts it again.
        return Registry(self.settings.registry_url, patience_seconds=5)

    @cached_property
    def catalog(self) -> Catalog:
        """What is archived."""
        return Catalog(self.connection)

    def plan(self) -> Plan:
        """Ranges of all event topics that are not archived yet, and lost ones."""
        known = self.catalog.known(EVENT_TOPICS)
        return plan(self.kafka.logs(EVENT_TOPICS), known, self.settings.range_records)

    def stale_days(self) -> list[str]:
        """Event days to rebuild, ISO 8601."""
        return [d.isoformat() for d in stale_days(self.catalog.ranges(), self.catalog.built())]

    def log(self, topic: str, partition: int) -> Log:
        """One partition as it stands, checked to be the archived one."""
        if topic not in EVENT_TOPICS:
            raise MisconfigurationError(
                f"--topic {topic}: the event topics are {', '.join(EVENT_TOPICS)}"
            )
        logs = self.kafka.logs([topic])
        found = next((log for log in logs if log.partition == partition), None)
        if found is None:
            raise MisconfigurationError(
                f"--partition {partition}: {topic} has the partitions 0 to {len(logs) - 1}"
            )
        known = self.catalog.known([topic])
        check_identity(found, [each for each in known if each.partition == partition])
        return found

    def archive(
        self, topic: str, partition: int, span: Span, progress: Callable[[int], None]
    ) -> Done:
        """Archive a range of one partition."""
        log = self.log(topic, partition)
        judge = Judge(topic, SchemaSource(self._registry), self.settings.currency)
        archiver = Archiver(
            self.settings.archive,
            self.kafka,
            judge,
            self.connection,
            Limits(self.settings.file_records, self.settings.file_bytes),
            progress,
        )
        return archiver.archive(log, span)

    def rebuilder(self, progress: Callable[[int], None]) -> Rebuilder:
        """Builds days."""
        return Rebuilder(
            self.settings.postgres_dsn.get_secret_value(),
            self.connection,
            self.settings.archive,
            self.settings.workers,
            progress,
        )

    def reconcile(self, day: date, *, correct: bool, wait_seconds: float) -> Outcome:
        """Compare a day of realtime with the batch and with Kafka; correct it where asked to."""
        settings = self.settings
        with (
            translated(),
            connect(settings.postgres_dsn.get_secret_value(), "roas-batch reconcile") as session,
            closing(WatchedKafka(settings.kafka_bootstrap)) as kafka,
        ):
            schemas = SchemaSource(self._registry)
            comparison = Comparison(
                session, kafka, schemas, settings.currency, day, settings.range_records
            )
            run = Reconciliation(session, kafka, wait_seconds)
            if not correct:
                return run.compare(comparison)
            codecs = {
                size: Codec.for_topic(topic, self._registry.schema_id(topic))
                for topic, size in SIZE_OF_TOPIC.items()
            }
            sender = CorrectionSender(settings.kafka_bootstrap, codecs, settings.currency)
            return run.correct(comparison, sender, day)

    def checker(self, progress: Callable[[int], None]) -> Checker:
        """Checks the archive."""
        return Checker(self.settings.archive, self.kafka, progress)
