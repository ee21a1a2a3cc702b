"""`./roas dlq`: the service, and the on-call engineer's tool."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from roas_contracts import exit_codes
from roas_contracts.errors import InputError, TransientError
from roas_contracts.events import DEAD_LETTER_ACTIONS, DEAD_LETTERS, DeadLetterAction
from roas_contracts.service import logs
from roas_contracts.service.settings import load
from roas_contracts.subjects import load_subjects
from roas_dlq_handler import SERVICE, __version__, report
from roas_dlq_handler import app as composition
from roas_dlq_handler.app import Tool
from roas_dlq_handler.filter_options import with_filters
from roas_dlq_handler.inspection import decode_as_far_as_it_goes
from roas_dlq_handler.operation import Result, UnchangedError
from roas_dlq_handler.operations import CANCELLED, FINISHED, Operation
from roas_dlq_handler.refusals import RefusedError
from roas_dlq_handler.repair import Repaired
from roas_dlq_handler.rules_file import parse_rules, read_rules
from roas_dlq_handler.selection import UNRESOLVED, Selection, State
from roas_dlq_handler.settings import Settings
from roas_dlq_handler.store import Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Dead letters: what failed, why, and putting it back. Whatever changes something only "
    "shows what it would do until you say --yes. Settings are environment variables "
    "ROAS_DLQ_HANDLER_*. Exit codes: 0 fine, 1 the answer is no (nothing matches, refused), "
    "2 wrong usage or settings, 3 a dependency is unavailable, 130 Ctrl-C.",
)


class Bucket(StrEnum):
    """How wide the bars of a histogram over time are."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without, only show what would happen.")]
_Confirm = Annotated[
    str | None,
    typer.Option("--confirm", help="The environment's name, needed unless it is local."),
]
_Rate = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many a second.")]
_Most = Annotated[int | None, typer.Option("--max", min=1, help="At most so many in all.")]
_ForGroup = Annotated[
    str | None,
    typer.Option("--for-group", help="Only for this consumer group: the others skip it."),
]
_Actor = Annotated[
    str | None, typer.Option("--as", help="Who does it [default: the system's user].")
]
_Why = Annotated[str, typer.Option("--why", help="Why, for the audit.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{SERVICE} {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


@app.command()
def run() -> None:
    """Keep dead letters until stopped by SIGTERM or Ctrl-C. A second instance takes over."""
    composition.run(load(Settings))


@app.command("ls")
@with_filters(*UNRESOLVED)
def list_command(
    selection: Selection,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    as_json: _Json = False,
) -> None:
    """List dead letters, the newest first. Exit code 1 when there is none."""
    rows = _tool().library.newest(selection, limit)
    if as_json or rows:
        report.show_list(rows, as_json)
    _nothing_unless(bool(rows))


@app.command()
@with_filters(*UNRESOLVED)
def stats(
    selection: Selection,
    by: Annotated[Bucket, typer.Option(help="Width of the bars over time.")] = Bucket.HOUR,
    as_json: _Json = False,
) -> None:
    """Count dead letters by state, reason, topic, service and time. Exit code 1: there is none."""
    bars = _tool().library.histogram(selection, by)
    found = any(bar.count for bar in bars)
    if as_json or found:
        report.show_histogram(bars, as_json)
    _nothing_unless(found)


@app.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    as_json: _Json = False,
) -> None:
    """Show a dead letter: headers, bytes, decoded as far as it goes and where it stops."""
    tool = _tool()
    found = tool.library.get(dead_letter_id)
    if found is None:
        raise RefusedError(f"there is no dead letter {dead_letter_id!r}, or more than one")
    row, encoded = found
    letter = tool.decode(encoded)
    decoding = decode_as_far_as_it_goes(letter.value, tool.schemas)
    actions = tool.library.actions(letter.dead_letter_id)
    report.show_letter(row, letter, decoding, actions, as_json)


@app.command()
@with_filters(State.OPEN)
def replay(
    selection: Selection,
    yes: _Yes = False,
    rate: _Rate = 1_000,
    most: _Most = None,
    for_group: _ForGroup = None,
    confirm: _Confirm = None,
    actor: _Actor = None,
    why: _Why = "",
    as_json: _Json = False,
) -> None:
    """Send failed records again, byte for byte. Quarantined ones only with --state quarantined."""
    tool = _tool()
    operation, kinds = tool.plan(
        DeadLetterAction.REPLAY,
        selection,
        rate=rate,
        most=most,
        for_group=for_group,
        actor=actor,
        why=why,
    )
    if not yes:
        report.show_plan(operation, kinds, _readers(operation), as_json)
        report.say("nothing was sent: this was a dry run, --yes does it")
        return
    _execute(tool, operation, confirm, as_json)


@app.command()
@with_filters(*UNRESOLVED)
def fix(
    rules_file: Annotated[Path, typer.Argument(help="A reviewed file of rules (YAML).")],
    selection: Selection,
    sample: Annotated[int, typer.Option(min=1, max=10_000, help="How many to try.")] = 10,
    yes: _Yes = False,
    rate: _Rate = 1_000,
    most: _Most = None,
    for_group: _ForGroup = None,
    confirm: _Confirm = None,
    actor: _Actor = None,
    why: _Why = "",
    as_json: _Json = False,
) -> None:
    """Repair failed records by rules and send them again. Without --yes: try a sample.

    What no rule matches, and what would fail again, stays failed. Exit code 1 when nothing of
    the sample can be repaired.
    """
    text = read_rules(rules_file)
    parse_rules(text, str(rules_file))
    tool = _tool()
    operation, _ = tool.plan(
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
    report.show_sample(repaired, failed, as_json)
    report.say(
        f"nothing was sent: this was a sample of {operation.selected:,} dead letters of "
        f"{operation.topic}, --yes repairs them all"
    )
    if not repaired:
        raise typer.Exit(exit_codes.NO)


@app.command()
@with_filters(*UNRESOLVED)
def discard(
    selection: Selection,
    why: Annotated[str, typer.Option("--why", help="Why, for the audit.")],
    yes: _Yes = False,
    most: _Most = None,
    confirm: _Confirm = None,
    actor: _Actor = None,
    as_json: _Json = False,
) -> None:
    """Put dead letters aside, with a reason. They are kept; `restore` takes it back."""
    _put_aside(DeadLetterAction.DISCARD, selection, why, yes, most, confirm, actor, as_json)


@app.command()
@with_filters(State.DISCARDED)
def restore(
    selection: Selection,
    yes: _Yes = False,
    most: _Most = None,
    confirm: _Confirm = None,
    actor: _Actor = None,
    why: _Why = "",
    as_json: _Json = False,
) -> None:
    """Take a discard back: the dead letters are open again."""
    _put_aside(DeadLetterAction.RESTORE, selection, why, yes, most, confirm, actor, as_json)


@app.command()
def resume(
    operation_id: Annotated[str, typer.Argument(help="As `audit` lists it.")],
    confirm: _Confirm = None,
    as_json: _Json = False,
) -> None:
    """Go on with an operation that was stopped, cancelled or killed, exactly where it was."""
    tool = _tool()
    operation, status = tool.operations.get(operation_id)
    if status == FINISHED:
        report.say(f"{operation_id} has finished: nothing to do")
        return
    _execute(tool, operation, confirm, as_json, again=True)


@app.command()
def cancel(
    operation_id: Annotated[str, typer.Argument(help="As `audit` lists it.")],
) -> None:
    """Stop a running operation after the transaction it is in. `resume` goes on with it."""
    if not _tool().operations.cancel(operation_id):
        raise RefusedError(f"{operation_id} does not run")
    report.say(f"{operation_id} will stop after its present transaction")


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 20,
    as_json: _Json = False,
) -> None:
    """Show who changed what, when, why, and what became of it. Exit code 1 when nobody did."""
    rows = _tool().operations.newest(limit)
    if as_json or rows:
        report.show_audit(rows, as_json)
    if not rows:
        report.say("nothing was ever changed")
        raise typer.Exit(exit_codes.NO)


@app.command()
@with_filters(*UNRESOLVED)
def export(
    selection: Selection,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File [default: stdout].")
    ] = None,
) -> None:
    """Write whole dead letters as JSON lines (bytes in base 64). Exit code 1: there is none."""
    tool = _tool()
    library = tool.library
    mean = 16_384  # Pages of a thousand letters of a usual size.
    count = 0
    with _writing(output) as write:
        for page in library.pages(selection, library.newest_sequence(), mean):
            for _, state, encoded in page.letters:
                letter = report.as_export(tool.decode(encoded))
                write.write(json.dumps({**letter, "state": state}) + "\n")
                count += 1
    _nothing_unless(count > 0)
    report.say(f"{count:,} dead letters written")


@app.command()
def rebind(
    topic: Annotated[str, typer.Argument(help="dead-letters or dead-letter-actions.")],
    yes: _Yes = False,
) -> None:
    """After one of the two topics was recreated on purpose: read the new one from its beginning.

    What is stored stays. Stop the service first: it would be fenced.
    """
    topics = (DEAD_LETTERS, DEAD_LETTER_ACTIONS)
    if topic not in topics:
        raise InputError(f"{topic!r} is neither {topics[0]} nor {topics[1]}")
    if not yes:
        report.say(f"would forget the offsets of {topic}: --yes does it")
        return
    settings = _settings()
    store = Store(settings.postgres_dsn.get_secret_value(), settings.replay_cap)
    try:
        store.open()
        partitions = store.rebind(topic)
    finally:
        store.close()
    report.say(f"{partitions} partitions of {topic} will be read from their beginning")


def _settings() -> Settings:
    logs.configure(SERVICE, __version__)
    return load(Settings)


def _tool() -> Tool:
    return Tool(_settings())


def _readers(operation: Operation) -> list[str]:
    return list(load_subjects()[operation.topic].file.consumers)


def _nothing_unless(found: bool) -> None:
    if not found:
        report.say("no dead letter matches")
        raise typer.Exit(exit_codes.NO)


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
    if action is DeadLetterAction.DISCARD and not why.strip():
        raise InputError("--why: a discard needs a reason")
    tool = _tool()
    operation, kinds = tool.plan(action, selection, rate=100_000, most=most, actor=actor, why=why)
    if not yes:
        report.show_plan(operation, kinds, [], as_json)
        report.say("nothing was changed: this was a dry run, --yes does it")
        return
    _execute(tool, operation, confirm, as_json)


def _execute(
    tool: Tool, operation: Operation, confirm: str | None, as_json: bool, again: bool = False
) -> None:
    most = operation.options.most
    total = operation.selected if most is None else min(operation.selected, most)
    try:
        with report.progress_bar() as bar:
            task = bar.add_task(operation.action.lower(), total=total)
            result = tool.execute(
                operation,
                confirmed=confirm,
                again=again,
                progress=lambda done: bar.update(task, completed=done),
            )
    except TransientError as error:
        raise TransientError(
            f"{error}; nothing is lost or sent twice: go on with `resume "
            f"{operation.operation_id}` if `audit` knows it, else repeat the command"
        ) from error
    report.show_result(operation.operation_id, result, as_json)
    _leave_after(operation, result)


def _leave_after(operation: Operation, result: Result) -> None:
    if result.status == FINISHED:
        # Everything that was asked for stayed failed: the answer is no.
        if result.unchanged and not result.done and not result.done_before:
            raise typer.Exit(exit_codes.NO)
        return
    report.say(f"go on with `resume {operation.operation_id}`")
    raise typer.Exit(exit_codes.NO if result.status == CANCELLED else exit_codes.INTERRUPTED)


@contextmanager
def _writing(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}") from error
