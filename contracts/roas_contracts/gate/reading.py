"""Reads every contract there is, and says of each file that can't be read where and why."""

import json
from dataclasses import dataclass
from pathlib import Path

from roas_contracts.compatibility import AvroSchema, line_of, parse_schema
from roas_contracts.gate.findings import Finding
from roas_contracts.gate.schema_tree import Node, tree_of
from roas_contracts.subjects import ContractError, Subject, Version, load_folder, subject_folders


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """A schema version as the rule and as the lints need it."""

    version: Version
    schema: AvroSchema
    tree: Node

    def line(self, pointer: str) -> int:
        """The line of a place in its file."""
        return line_of(self.version.text, pointer) or 1


@dataclass(frozen=True, slots=True)
class ReadSubject:
    """A subject whose files are all right by themselves."""

    subject: Subject
    versions: tuple[ReadVersion, ...]


def read_all(directory: Path) -> tuple[list[ReadSubject], list[Finding]]:
    """The subjects that can be read, and what is wrong with the files of the others.

    Raises:
        MisconfigurationError: there is no contract at all.
    """
    subjects, findings = [], []
    for folder in subject_folders(directory):
        try:
            subject = load_folder(folder)
        except ContractError as error:
            findings += _unreadable(folder, error)
            continue
        versions = (
            ReadVersion(each, parse_schema(each.text), tree_of(json.loads(each.text)))
            for each in subject.versions
        )
        subjects.append(ReadSubject(subject, tuple(versions)))
    return subjects, findings


def _unreadable(folder: Path, error: ContractError) -> list[Finding]:
    return [
        Finding(
            kind="unreadable",
            topic=folder.name,
            file=error.path,
            line=problem.line,
            at=problem.at,
            what=problem.what,
            unreadable=True,
        )
        for problem in error.problems
    ]
