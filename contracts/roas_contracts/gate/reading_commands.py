"""`contracts show`, `contracts diff` and `contracts docs`: contracts for a reader."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from roas_contracts import exit_codes
from roas_contracts.errors import InputError
from roas_contracts.gate import pages
from roas_contracts.gate.differences import changes, type_in_words
from roas_contracts.gate.evolution import rollouts
from roas_contracts.gate.field_uses import words_of_parts
from roas_contracts.gate.reading import ReadSubject, ReadVersion, read_all
from roas_contracts.gate.schema_tree import all_fields
from roas_contracts.gate.topic_choice import chosen
from roas_contracts.subjects import contracts_directory

TopicName = Annotated[str, typer.Argument(metavar="TOPIC", help="A topic.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def show_command(
    topic: TopicName,
    version: Annotated[
        int | None, typer.Option(min=1, help="Schema version; the newest when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a topic's record: its fields, their types and what they mean. --json: the schema."""
    read = _read(topic)
    one = _version(read, version)
    if as_json:
        typer.echo(one.version.text.rstrip())
        return
    console = Console()
    doc = one.tree.attributes.get("doc", "")
    console.print(f"{topic} v{one.version.number}: {doc}", markup=False, highlight=False)
    table = Table("field", "type", "what")
    for field in all_fields(one.tree):
        # As text: a doc's [brackets] are no markup.
        table.add_row(*map(Text, (field.path, type_in_words(field.node), field.doc)))
    console.print(table)


def diff_command(
    topic: TopicName,
    old: Annotated[
        int | None, typer.Argument(metavar="[A]", help="Older version; the newest but one.")
    ] = None,
    new: Annotated[
        int | None, typer.Argument(metavar="[B]", help="Newer version; the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions of a topic's schema, and who may roll out first."""
    read = _read(topic)
    after = _version(read, new)
    before = _version(read, old if old is not None else max(after.version.number - 1, 1))
    found = list(changes(before.tree, after.tree))
    order = [each for each in rollouts(read) if each.version == after.version.number]
    if as_json:
        rows = [{"how": each.how, "at": each.at, "what": each.what} for each in found]
        typer.echo(json.dumps(rows, indent=2))
        return
    numbers = f"v{before.version.number} to v{after.version.number}"
    typer.echo(f"{topic}, {numbers}: {len(found) or 'no'} change{'s' if len(found) != 1 else ''}")
    for each in found:
        typer.echo(f"  {each.how} {each.at}: {each.what}")
    if before.version.number == after.version.number - 1 and order:
        typer.echo(order[0].sentence)


def docs_command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the pages to.")] = Path(
        "docs/contracts"
    ),
    root: Annotated[
        Path, typer.Option(help="The checkout, in whose code uses of fields are looked up.")
    ] = Path(),
    compare: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a page is out of date.")
    ] = False,
) -> None:
    """Write a readable page for each topic."""
    chosen(None)  # Says what is wrong with a contract that can't be read.
    subjects, _ = read_all(contracts_directory())
    words = words_of_parts(root)
    wanted = {f"{read.subject.name}.md": pages.page(read, words) for read in subjects}
    wanted["README.md"] = pages.index(subjects)
    try:
        there = _pages_in(out, wanted)
        if compare:
            _compare(out, wanted, there)
        changed = {name for name, text in wanted.items() if there.get(name) != text}
        out.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (out / name).write_text(wanted[name], "utf-8")
        for name in there.keys() - wanted.keys():
            (out / name).unlink()
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}") from error
    typer.echo(f"{len(changed)} of {len(wanted)} pages written to {out}")


def _pages_in(out: Path, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """What an earlier run wrote there; files of others are left alone."""
    found = {}
    for path in sorted(out.glob("*.md")):
        text = path.read_text("utf-8", errors="replace")
        if text.startswith(pages.NOTE):
            found[path.name] = text
        elif path.name in wanted:
            raise InputError(f"{path}: not written by this command, so it is not overwritten")
    return found


def _compare(out: Path, wanted: Mapping[str, str], there: Mapping[str, str]) -> NoReturn:
    """Leaves with the answer. Where fields are used is not compared: any code may change it."""
    now = {name: pages.of_the_contract(text) for name, text in wanted.items()}
    before = {name: pages.of_the_contract(text) for name, text in there.items()}
    stale = sorted(name for name in now.keys() | before if now.get(name) != before.get(name))
    for name in stale:
        typer.echo(f"{out / name} is out of date: run `./roas contracts docs`")
    raise typer.Exit(exit_codes.NO if stale else exit_codes.OK)


def _read(topic: str) -> ReadSubject:
    chosen([topic])
    subjects, _ = read_all(contracts_directory())
    return next(each for each in subjects if each.subject.name == topic)


def _version(read: ReadSubject, number: int | None) -> ReadVersion:
    if number is None:
        return read.versions[-1]
    if not 1 <= number <= len(read.versions):
        raise InputError(
            f"{read.subject.name} has no version {number}: the newest is {len(read.versions)}"
        )
    return read.versions[number - 1]
