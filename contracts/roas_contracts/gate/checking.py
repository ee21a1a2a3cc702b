"""The whole gate over a folder of contracts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from roas_contracts.gate import (
    evolution,
    examples,
    history,
    interfaces,
    published,
    reading_lints,
    schema_lints,
)
from roas_contracts.gate.base import Base
from roas_contracts.gate.findings import Finding, Report, in_order
from roas_contracts.gate.lints import LINTS
from roas_contracts.gate.reading import ReadSubject, ReadVersion, read_all
from roas_contracts.gate.waivers import Waivers
from roas_contracts.source_lines import SourceLines


def check(
    directory: Path,
    bases: Sequence[Base] = (),
    notes: Sequence[str] = (),
    interface_bases: Sequence[Base] = (),
) -> Report:
    """Everything that is wrong with the contracts of a folder.

    Args:
        directory: the folder with one folder per topic.
        bases: what they are compared with besides published.sha256; none: with that alone.
        interface_bases: the same commits' files of the folder read_interfaces beside it.
        notes: what a reader of the report should know.

    Raises:
        MisconfigurationError: there is no contract.
        InputError: published.sha256 is not as `sha256sum` writes it.
    """
    subjects, found = read_all(directory)
    found += history.changed_versions(directory, published.read(directory), bases)
    for read in subjects:
        found += _subject(read, bases)
    unreadable = {each.topic for each in found if each.unreadable}
    found = [
        each
        for each in found  # What can't be read is not to be published either.
        if not (each.kind == "unpublished-version" and each.topic in unreadable)
    ]
    found += interfaces.findings(directory.parent / interfaces.FOLDER, interface_bases)
    return Report(
        findings=in_order(found),
        notes=tuple(notes),
        rollouts=tuple(each for read in subjects for each in evolution.rollouts(read)),
        subjects=len(subjects),
        versions=sum(len(read.versions) for read in subjects),
    )


def _subject(read: ReadSubject, bases: Sequence[Base]) -> Iterator[Finding]:
    waivers = Waivers(read.subject)
    yield from evolution.incompatible(read)
    yield from evolution.objections(read, waivers)
    for version in read.versions:
        yield from _schema(read, version, waivers)
    yield from examples.findings(read)
    for base in bases:
        yield from history.changed_promises(read.subject, base, waivers)
    yield from waivers.mistakes()


def _schema(read: ReadSubject, version: ReadVersion, waivers: Waivers) -> Iterator[Finding]:
    """What the lints of one schema object to."""
    number = version.version.number
    for each in (
        *schema_lints.objections(version.tree),
        *reading_lints.objections(version.tree, version.schema),
    ):
        if not waivers.covers(each.lint, each.at, number):
            yield _lint(read, version, each.lint, each.at, version.line(each.pointer), each.what)
    for key, line in SourceLines(version.version.text).repeated_keys():
        if not waivers.covers("repeated-key", key, number):
            yield _lint(read, version, "repeated-key", key, line, f"the key {key!r} is there twice")


def _lint(
    read: ReadSubject, version: ReadVersion, lint: str, at: str, line: int, what: str
) -> Finding:
    return Finding(
        kind=lint,
        topic=read.subject.name,
        version=version.version.number,
        file=version.version.path,
        line=line,
        at=at,
        what=what,
        why=LINTS[lint].why,
        instead=LINTS[lint].instead,
    )
