"""The composition root: settings in, a running service or a ready tool out."""

from __future__ import annotations

import getpass
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

import structlog

from roas_contracts.codec import Codec
from roas_contracts.consuming.source import CommittedSource
from roas_contracts.dead_letters import DeadLetterBuilder
from roas_contracts.decoder import Decoder
from roas_contracts.events import DEAD_LETTER_ACTIONS, DEAD_LETTERS, DeadLetter, DeadLetterAction
from roas_contracts.registry import Registry, SchemaSource
from roas_contracts.rules import Rules
from roas_contracts.service import logs
from roas_contracts.service.health import HealthServer
from roas_contracts.service.stop import StopSignal
from roas_contracts.subjects import load_subjects
from roas_dlq_handler import READER, SERVICE, __version__
from roas_dlq_handler.audit_tail import read_tail
from roas_dlq_handler.intake import Intake
from roas_dlq_handler.keeper import Keeper, KeeperOptions
from roas_dlq_handler.library import Kind, Library
from roas_dlq_handler.operation import Made, Result, Run, UnchangedError
from roas_dlq_handler.operations import Operation, Operations, Options
from roas_dlq_handler.outbox import Outbox
from roas_dlq_handler.outgoing import Outgoing, outgoing
from roas_dlq_handler.postgres import Connection, connect
from roas_dlq_handler.refusals import (
    RefusedError,
    check_environment,
    check_groups,
    check_origin,
    check_states,
)
from roas_dlq_handler.repair import Repairs
from roas_dlq_handler.rules_file import parse_rules
from roas_dlq_handler.selection import Selection
from roas_dlq_handler.settings import Settings
from roas_dlq_handler.store import Store
from roas_dlq_handler.telemetry import Telemetry


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


class Tool:
    """What the verbs need, connected as late as possible.

    Args:
        settings: the deployment's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _connection(self) -> Connection:
        return connect(self.settings.postgres_dsn.get_secret_value(), "roas-dlq")

    @cached_property
    def library(self) -> Library:
        """What is stored."""
        return Library(self._connection)

    @cached_property
    def operations(self) -> Operations:
        """What was and is being changed."""
        return Operations(self._connection)

    @cached_property
    def registry(self) -> Registry:
        """The schema registry."""
        return Registry(self.settings.registry_url, patience_seconds=5)

    @cached_property
    def schemas(self) -> SchemaSource:
        """Writer schemas."""
        return SchemaSource(self.registry)

    @cached_property
    def letters(self) -> Decoder:
        """Decodes dead letters."""
        return Decoder(DEAD_LETTERS, self.schemas, Rules(group=SERVICE))

    def decode(self, encoded: bytes) -> DeadLetter:
        """A stored dead letter."""
        letter = self.letters.decode(encoded, None, now_ms())
        assert isinstance(letter, DeadLetter)
        return letter

    def plan(
        self,
        action: DeadLetterAction,
        selection: Selection,
        *,
        rate: int,
        most: int | None = None,
        for_group: str | None = None,
        rules: str | None = None,
        actor: str | None = None,
        why: str = "",
    ) -> tuple[Operation, list[Kind]]:
        """What an operation would be, without doing anything.

        Raises:
            RefusedError: it would do harm.
        """
        check_states(action, selection.states)
        kinds = self.library.kinds(selection)
        topic = check_origin(action, kinds, load_subjects().keys())
        if action in (DeadLetterAction.REPLAY, DeadLetterAction.FIX):
            elsewhere = self.library.failed_in_other_groups(selection) if for_group is None else 0
            check_groups(kinds, for_group, elsewhere)
        selected = sum(kind.count for kind in kinds)
        options = Options(
            rate=rate,
            most=most,
            for_group=for_group,
            rules=rules,
            mean_bytes=sum(kind.record_bytes for kind in kinds) // selected,
        )
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        operation = Operation(
            f"{action.lower()}-{moment}-{secrets.token_hex(2)}",
            action,
            topic,
            actor or getpass.getuser(),
            why,
            selection,
            options,
            self.library.newest_sequence(),
            selected,
        )
        return operation, kinds

    def repairs(self, topic: str, rules: str, name: str) -> Repairs:
        """The repairs of a rules file for a topic."""
        return Repairs(
            parse_rules(rules, name),
            topic,
            self.schemas,
            self.registry,
            self.settings.currency,
            now_ms,
        )

    def execute(
        self,
        operation: Operation,
        *,
        confirmed: str | None,
        again: bool,
        progress: Callable[[int], None],
    ) -> Result:
        """Do an operation, or go on with one.

        Args:
            operation: what to do.
            confirmed: the environment's name, as whoever runs this has given it.
            again: it was begun before.
            progress: told how many are done in this run.

        Raises:
            RefusedError: not confirmed, or somebody else is at this topic.
            TransientError: Kafka, the registry or PostgreSQL does not answer: go on later.
            FencedError: somebody else took over.
        """
        check_environment(self.settings.environment, confirmed)
        make = self._maker(operation)
        with StopSignal() as stop, self.operations.lock(operation.topic):
            outbox = Outbox(
                self.settings.kafka_bootstrap,
                operation.topic,
                Codec.for_topic(DEAD_LETTER_ACTIONS, self.registry.schema_id(DEAD_LETTER_ACTIONS)),
            )
            outbox.open()
            stored, done_before = self.operations.audited_up_to(operation.operation_id)
            tail = read_tail(
                self.settings.kafka_bootstrap,
                Decoder(DEAD_LETTER_ACTIONS, self.schemas, Rules(group=SERVICE)),
                stored,
            )
            done_before += tail.by_operation.get(operation.operation_id, 0)
            running = Run(
                operation,
                self.library,
                outbox,
                self.letters,
                tail,
                done_before,
                make,
                cancelled=lambda: self.operations.cancel_requested(operation.operation_id),
                interrupted=stop.is_set,
                progress=progress,
                now_ms=now_ms,
                sleep=stop.wait,
            )
            if again:
                self.operations.go_on(operation.operation_id)
            else:
                self.operations.begin(operation)
            with self._ending(operation, running):
                running.execute()
        return running.result

    @contextmanager
    def _ending(self, operation: Operation, running: Run) -> Iterator[None]:
        """Note how it ended, unless PostgreSQL is what failed."""
        try:
            yield
        finally:
            if not self._connection.closed:
                result = running.result
                self.operations.end(operation.operation_id, result.status, result.as_dict())

    def _maker(self, operation: Operation) -> Callable[[DeadLetter], Made]:
        options = operation.options
        if operation.action is DeadLetterAction.FIX:
            assert options.rules is not None
            repairs = self.repairs(operation.topic, options.rules, operation.operation_id)

            def fix(letter: DeadLetter) -> Made:
                repaired = repairs.repair(letter)
                return Made(_sent(letter, options.for_group, repaired.value), repaired.rule)

            return fix
        if operation.action is DeadLetterAction.REPLAY:
            return lambda letter: Made(_sent(letter, options.for_group))
        return lambda letter: Made(None)


def _sent(letter: DeadLetter, for_group: str | None, value: bytes | None = None) -> Outgoing:
    try:
        return outgoing(letter, for_group, value)
    except RefusedError as error:
        raise UnchangedError(str(error)) from None


def now_ms() -> int:
    """The wall clock, milliseconds."""
    return time.time_ns() // 1_000_000
