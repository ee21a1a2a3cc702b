"""The verbs that change something: replay, fix, discard, restore; resume, cancel; rebind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roas_contracts import exit_codes
from roas_contracts.errors import InputError, TransientError
from roas_contracts.events import DEAD_LETTER_ACTIONS, DEAD_LETTERS, DeadLetterAction
from roas_contracts.subjects import load_subjects
from roas_dlq_handler import changing_report
from roas_dlq_handler.app import store_of_this_process, tool_of_this_process
from roas_dlq_handler.change import execute, plan
from roas_dlq_handler.common_options import Actor, AsJson, Confirm, ForGroup, Most, Rate, Why, Yes
from roas_dlq_handler.filter_options import with_filters
from roas_dlq_handler.operation import Result, UnchangedError
from roas_dlq_handler.operations import CANCELLED, FINISHED, Operation
from roas_dlq_handler.output import command, progress_bar, say
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.repair import Repaired
from roas_dlq_handler.rules_file import parse_rules, read_rules
from roas_dlq_handler.selection import UNRESOLVED, Selection, State
from roas_dlq_handler.tool import Tool


@with_filters(State.OPEN)
def replay(
    selection: Selection,
    yes: Yes = False,
    rate: Rate = 1_000,
    most: Most = None,
    for_group: ForGroup = None,
    confirm: Confirm = None,
    actor: Actor = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Send failed records again, byte for byte. Quarantined ones only with --state quarantined."""
    with tool_of_this_process() as tool:
        operation, kinds = plan(
            tool,
            DeadLetterAction.REPLAY,
            selection,
            rate=rate,
            most=most,
            for_group=for_group,
            actor=actor,
            why=why,
        )
        if not yes:
            changing_report.show_plan(operation, kinds, _readers(operation), as_json)
            say("nothing was sent: this was a dry run, --yes does it")
            return
        _execute(tool, operation, confirm, as_json)


@with_filters(*UNRESOLVED)
def fix(
    rules_file: Annotated[Path, typer.Argument(help="A reviewed file of rules (YAML).")],
    selection: Selection,
    sample: Annotated[int, typer.Option(min=1, max=10_000, help="How many to try.")] = 10,
    yes: Yes = False,
    rate: Rate = 1_000,
    most: Most = None,
    for_group: ForGroup = None,
    confirm: Confirm = None,
    actor: Actor = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Repair failed records by rules and send them again. Without --yes: try a sample.

    What no rule matches, and what would fail again, stays failed. Exit code 1 when nothing of
    the sample can be repaired.
    """
    text = read_rules(rules_file)
    parse_rules(text, str(rules_file))
    with tool_of_this_process() as tool:
        operation, _ = plan(
            tool,
            DeadLetterAction.FIX,
            selection,
            rate=rate,
            most=most,
            for_group=for_group,
            rules=text,
            actor=actor,
            why=why,
        )
        if yes:
            _execute(tool, operation, confirm, as_json)
            return
        repairs = tool.repairs(operation.topic, text, str(rules_file))
        repaired: list[tuple[str, Repaired]] = []
        failed: list[tuple[str, str]] = []
        for encoded in tool.library.sample(selection, sample):
            letter = tool.decode(encoded)
            try:
                repaired.append((letter.dead_letter_id, repairs.repair(letter)))
            except UnchangedError as error:
                failed.append((letter.dead_letter_id, str(error)))
        changing_report.show_sample(repaired, failed, as_json)
        say(
            f"nothing was sent: this was a sample of {operation.selected:,} dead letters of "
            f"{operation.topic}, --yes applies the rules to all of them"
        )
        if not repaired:
            raise typer.Exit(exit_codes.NO)


@with_filters(*UNRESOLVED)
def discard(
    selection: Selection,
    why: Annotated[str, typer.Option("--why", help="Why, for the audit.")],
    yes: Yes = False,
    most: Most = None,
    confirm: Confirm = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Put dead letters aside, with a reason. They are kept; `restore` takes it back."""
    if not why.strip():
        raise InputError("--why: a discard needs a reason")
    _put_aside(DeadLetterAction.DISCARD, selection, why, yes, most, confirm, actor, as_json)


@with_filters(State.DISCARDED)
def restore(
    selection: Selection,
    yes: Yes = False,
    most: Most = None,
    confirm: Confirm = None,
    actor: Actor = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Take a discard back: the dead letters are open again."""
    _put_aside(DeadLetterAction.RESTORE, selection, why, yes, most, confirm, actor, as_json)


def resume(
    operation_id: Annotated[str, typer.Argument(help="As `audit` lists it.")],
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Go on with an operation that was stopped, cancelled or killed, exactly where it was."""
    with tool_of_this_process() as tool:
        operation, status = tool.operations.get(operation_id)
        if status == FINISHED:
            say(f"{operation_id} has finished: nothing to do")
            return
        _execute(tool, operation, confirm, as_json, again=True)


def cancel(
    operation_id: Annotated[str, typer.Argument(help="As `audit` lists it.")],
) -> None:
    """Stop a running operation after the transaction it is in. `resume` goes on with it."""
    with tool_of_this_process() as tool:
        if not tool.operations.cancel(operation_id):
            raise RefusedError(f"{operation_id} does not run")
    say(f"{operation_id} will stop after its present transaction")


def rebind(
    topic: Annotated[str, typer.Argument(help="dead-letters or dead-letter-actions.")],
    yes: Yes = False,
) -> None:
    """After one of the two topics was recreated on purpose: read the new one from its beginning.

    What is stored stays. Stop the service first: it would be fenced.
    """
    topics = (DEAD_LETTERS, DEAD_LETTER_ACTIONS)
    if topic not in topics:
        raise InputError(f"{topic!r} is neither {topics[0]} nor {topics[1]}")
    if not yes:
        say(f"would forget the offsets of {topic}: --yes does it")
        return
    store = store_of_this_process()
    try:
        store.open()
        partitions = store.rebind(topic)
    finally:
        store.close()
    say(f"{partitions} partitions of {topic} will be read from their beginning")


def _readers(operation: Operation) -> list[str]:
    return list(load_subjects()[operation.topic].file.consumers)


def _put_aside(
    action: DeadLetterAction,
    selection: Selection,
    why: str,
    yes: bool,
    most: int | None,
    confirm: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    with tool_of_this_process() as tool:
        operation, kinds = plan(
            tool, action, selection, rate=100_000, most=most, actor=actor, why=why
        )
        if not yes:
            changing_report.show_plan(operation, kinds, [], as_json)
            say("nothing was changed: this was a dry run, --yes does it")
            return
        _execute(tool, operation, confirm, as_json)


def _execute(
    tool: Tool, operation: Operation, confirm: str | None, as_json: bool, again: bool = False
) -> None:
    most = operation.options.most
    total = operation.selected if most is None else min(operation.selected, most)
    try:
        with progress_bar() as bar:
            task = bar.add_task(operation.action.lower(), total=total)
            result = execute(
                tool,
                operation,
                confirmed=confirm,
                again=again,
                progress=lambda done: bar.update(task, completed=done),
            )
    except TransientError as error:
        raise TransientError(
            f"{error}; nothing is lost or sent twice: go on with "
            f"{command(f'resume {operation.operation_id}')} if {command('audit')} knows it, else "
            "repeat the command"
        ) from error
    changing_report.show_result(operation.operation_id, result, as_json)
    _leave_after(operation, result)


def _leave_after(operation: Operation, result: Result) -> None:
    if result.status == FINISHED:
        # Everything that was asked for stayed failed: the answer is no.
        if result.unchanged and not result.done and not result.done_before:
            raise typer.Exit(exit_codes.NO)
        return
    say(f"go on with {command(f'resume {operation.operation_id}')}")
    raise typer.Exit(exit_codes.NO if result.status == CANCELLED else exit_codes.INTERRUPTED)
