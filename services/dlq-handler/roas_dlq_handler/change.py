"""A change: planned without doing anything, then done under its topic's lock."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from roas_contracts.codec import Codec
from roas_contracts.decoder import Decoder
from roas_contracts.events import DEAD_LETTER_ACTIONS, DeadLetter, DeadLetterAction
from roas_contracts.rules import Rules
from roas_contracts.service.stop import StopSignal
from roas_contracts.subjects import load_subjects
from roas_dlq_handler import SERVICE
from roas_dlq_handler.audit_tail import read_tail
from roas_dlq_handler.library import Kind
from roas_dlq_handler.operation import Made, Result, Run, UnchangedError
from roas_dlq_handler.operations import Operation, Options
from roas_dlq_handler.outbox import Outbox
from roas_dlq_handler.outgoing import Outgoing, outgoing
from roas_dlq_handler.refusals import (
    RefusedError,
    check_environment,
    check_groups,
    check_origin,
    check_states,
)
from roas_dlq_handler.selection import Selection
from roas_dlq_handler.tool import Tool, now_ms


def plan(
    tool: Tool,
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
    kinds = tool.library.kinds(selection)
    topic = check_origin(action, kinds, load_subjects().keys())
    if action in (DeadLetterAction.REPLAY, DeadLetterAction.FIX):
        elsewhere = tool.library.failed_in_other_groups(selection) if for_group is None else 0
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
        tool.library.newest_sequence(),
        selected,
    )
    return operation, kinds


def execute(
    tool: Tool,
    operation: Operation,
    *,
    confirmed: str | None,
    again: bool,
    progress: Callable[[int], None],
) -> Result:
    """Do an operation, or go on with one.

    Args:
        tool: the world.
        operation: what to do.
        confirmed: the environment's name, as whoever runs this has given it.
        again: it was begun before.
        progress: told how many are done in this run.

    Raises:
        RefusedError: not confirmed, or somebody else is at this topic.
        TransientError: Kafka, the registry or PostgreSQL does not answer: go on later.
        FencedError: somebody else took over.
    """
    check_environment(tool.settings.environment, confirmed)
    make = _maker(tool, operation)
    bootstrap, operations = tool.settings.kafka_bootstrap, tool.operations
    audit_codec = Codec.for_topic(DEAD_LETTER_ACTIONS, tool.registry.schema_id(DEAD_LETTER_ACTIONS))
    outbox = Outbox(bootstrap, operation.topic, audit_codec)
    outbox.reach()
    with StopSignal() as stop, operations.lock(operation.topic):
        outbox.open()
        stored, done_before = operations.audited_up_to(operation.operation_id)
        tail = read_tail(
            bootstrap,
            Decoder(DEAD_LETTER_ACTIONS, tool.schemas, Rules(group=SERVICE)),
            stored,
        )
        done_before += tail.by_operation.get(operation.operation_id, 0)
        running = Run(
            operation,
            tool.library,
            outbox,
            tool.letters,
            tail,
            done_before,
            make,
            cancelled=lambda: operations.cancel_requested(operation.operation_id),
            interrupted=stop.is_set,
            progress=progress,
            now_ms=now_ms,
            sleep=stop.wait,
        )
        if again:
            operations.go_on(operation.operation_id)
        else:
            operations.begin(operation)
        with _ending(tool, operation, running):
            running.execute()
    return running.result


@contextmanager
def _ending(tool: Tool, operation: Operation, running: Run) -> Iterator[None]:
    """Note how it ended, unless PostgreSQL is what failed."""
    try:
        yield
    finally:
        if not tool.connection.closed:
            result = running.result
            tool.operations.end(operation.operation_id, result.status, result.as_dict())


def _maker(tool: Tool, operation: Operation) -> Callable[[DeadLetter], Made]:
    options = operation.options
    if operation.action is DeadLetterAction.FIX:
        assert options.rules is not None
        repairs = tool.repairs(operation.topic, options.rules, operation.operation_id)

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
