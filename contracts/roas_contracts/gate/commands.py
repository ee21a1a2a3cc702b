"""`contracts check` and `contracts publish`."""

from pathlib import Path
from typing import Annotated

import typer

from roas_contracts.errors import InputError
from roas_contracts.gate import interfaces, published, rendering
from roas_contracts.gate.base import Base, beside, find_bases
from roas_contracts.gate.checking import check
from roas_contracts.gate.findings import Report
from roas_contracts.subjects import contracts_directory

BaseName = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="REF",
        help="Branch or commit to compare with; by default where this branch left main.",
    ),
]

_UNPUBLISHED = "unpublished-version"
_CHANGED = ("edited-version", "deleted-version", "renamed-version")


def check_command(
    base: BaseName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    as_github: Annotated[
        bool, typer.Option("--github", help="Print annotations for a GitHub workflow.")
    ] = False,
) -> None:
    """Check every contract: compatibility, lints, examples, and that nothing published changed.

    Works on files and git alone, offline. Exit codes: 0 all well, 1 a contract would break
    something, 2 a file is no contract (its line is named), or git does not know --base.
    """
    if as_json and as_github:
        raise InputError("--json and --github exclude each other")
    report = _report(base)
    if as_json:
        typer.echo(rendering.as_json_text(report, Path.cwd()))
    elif as_github:
        if report.findings:
            typer.echo(rendering.github(report, Path.cwd()))
        for note in report.notes:
            typer.echo(note, err=True)
    else:
        typer.echo(rendering.text(report, Path.cwd()))
    raise typer.Exit(report.exit_code)


def publish_command(base: BaseName = None) -> None:
    """Note the fingerprint of each new version: from the base branch on, it is immutable.

    A version that the base branch does not have yet may be published again after an edit. Nothing
    is written while the gate finds anything else. Exit codes: as for check.
    """
    directory = contracts_directory()
    bases, notes = find_bases(directory, base)
    report = check(directory, bases, notes)
    known = dict(published.read(directory))
    drafts = _drafts(known, bases)
    others = [
        each
        for each in report.findings
        if each.kind != _UNPUBLISHED
        and not (each.kind in _CHANGED and f"{each.topic}/{each.file.name}" in drafts)
    ]
    if others:
        rest = Report(
            tuple(others), report.notes, report.rollouts, report.subjects, report.versions
        )
        typer.echo(rendering.text(rest, Path.cwd()), err=True)
        typer.echo("nothing was published", err=True)
        raise typer.Exit(rest.exit_code)
    now = {name: published.sha256(text) for name, text in published.versions_in(directory).items()}
    published.write(directory, now)
    changed = [name for name, print_ in sorted(now.items()) if known.get(name) != print_]
    for name in changed:
        typer.echo(f"published {name}")
    if not changed:
        typer.echo("nothing new to publish")


def _drafts(known: dict[str, str], bases: list[Base]) -> set[str]:
    """Listed versions that the base does not have; without git none, for nobody can tell."""
    if not bases:
        return set()
    return {name for name in known if not any(name in base.files for base in bases)}


def _report(base: str | None) -> Report:
    directory = contracts_directory()
    bases, notes = find_bases(directory, base)
    folder = directory.parent / interfaces.FOLDER
    return check(directory, bases, notes, [beside(folder, each) for each in bases])
