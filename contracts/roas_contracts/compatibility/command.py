"""`compat`: the bare rule on files, for a person and for a script."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from roas_contracts import exit_codes
from roas_contracts.compatibility.batch import answers
from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.modes import (
    COMPATIBILITY_MODES,
    ModeIncompatibility,
    check_mode,
)
from roas_contracts.compatibility.parsing import parse_schema
from roas_contracts.compatibility.schema import AvroSchema
from roas_contracts.errors import InputError


def compat_command(
    more: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="More previous versions, newer ones."),
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(COMPATIBILITY_MODES)}.")
    ] = None,
    new: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The schema that is to be published.")
    ] = None,
    previous: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The published versions, oldest first. Repeatable."),
    ] = None,
    jsonl: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Answer the questions in a file instead, one per line; - is stdin."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
) -> None:
    """Ask the bare compatibility rule: may a schema follow its previous versions?

    Needs no registry: the rule is Schema Registry's, which is Apache Avro's.

    With --jsonl each line {"id", "mode", "new", "previous": […]} (schemas as strings, oldest first)
    gets a line {"id", "compatible", "error", "incompatibilities"}; compatible is null where a
    schema is not valid.

    Exit codes: 0 compatible, 1 not compatible, 2 a schema or the usage is wrong. With --jsonl: 0
    every line was answered, 2 some line was no question (it is answered with null and the reason).
    """
    if jsonl is not None:
        if mode or new or previous or more:
            raise InputError("--jsonl takes everything from its file: leave the other options out")
        _answer_lines(jsonl)
        return
    if mode is None or new is None:
        raise InputError("--mode and --new are needed (or --jsonl)")
    files = [*(previous or ()), *(more or ())]
    found = check_mode(mode, _read(new), [_read(file) for file in files])
    if as_json:
        _print_json(found, files)
    else:
        _print_text(found, mode, new, files)
    raise typer.Exit(exit_codes.NO if found else exit_codes.OK)


def _answer_lines(source: str) -> None:
    with _opened(source) as questions:
        is_understood = True
        for answer in answers(questions):
            # At once: whoever asks through a pipe waits for it.
            print(answer.as_json(), flush=True)
            is_understood &= answer.is_question
    raise typer.Exit(exit_codes.OK if is_understood else exit_codes.USAGE)


@contextlib.contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise InputError(f"{source}: {error.strerror}") from None
        yield opened


def _read(file: Path) -> AvroSchema:
    try:
        return parse_schema(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}") from None
    except InvalidSchemaError as error:
        raise InputError(f"{file}:{error.line}: {error.reason} (at {error.path})") from None


def _print_json(found: list[ModeIncompatibility], files: list[Path]) -> None:
    answer = {
        "compatible": not found,
        "incompatibilities": [
            {
                "direction": each.direction,
                "against": str(files[each.against_index]),
                "type": each.incompatibility.type.value,
                "path": each.incompatibility.path,
                "message": each.incompatibility.message,
            }
            for each in found
        ],
    }
    typer.echo(json.dumps(answer, indent=2))


def _print_text(found: list[ModeIncompatibility], mode: str, new: Path, files: list[Path]) -> None:
    if not found:
        typer.echo(f"compatible: {new} under {mode} with {len(files)} previous versions")
        return
    typer.echo(f"not compatible: {new} under {mode}")
    for each in found:
        reader, writer = new, files[each.against_index]
        if each.direction == "FORWARD":
            reader, writer = writer, reader
        why = each.incompatibility
        typer.echo(f"  {reader} can't read what {writer} wrote")
        typer.echo(f"    {why.type.value} at {why.path}: {why.message}")
