"""What the gate has to say, in a form that people and programs can use."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from roas_contracts import exit_codes
from roas_contracts.gate.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where it is, and what to do about it."""

    kind: str
    """Stable name: "incompatible", the name of a lint, …; a waiver names it."""
    topic: str
    file: Path
    line: int = 1
    version: int | None = None
    at: str = ""
    """The field, type or key: "cost_micros", "headers.name", "topic.partitions"."""
    what: str
    """One sentence: what is wrong."""
    why: str = ""
    """What would happen."""
    affected: str = ""
    """Whom it would happen to, and which side may roll out first."""
    instead: str = ""
    """What to do instead."""
    unreadable: bool = False
    """The file is no contract at all: the input is wrong, rather than the answer no."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, and what a reader should know besides."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    """Who may roll out each version above the first."""
    subjects: int = 0
    versions: int = 0

    @property
    def exit_code(self) -> int:
        """0 nothing found, 2 a file can't be read, else 1."""
        if not self.findings:
            return exit_codes.OK
        return exit_codes.USAGE if any(f.unreadable for f in self.findings) else exit_codes.NO


_CAUSES: Final = (
    "unreadable",
    "edited-version",
    "deleted-version",
    "renamed-version",
    "incompatible",
)
_CHORES: Final = (
    "example-does-not-decode",
    "version-without-example",
    "unlisted-example",
    "unused-waiver",
    "unpublished-version",
)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: by topic, first what others may follow from, last what is left to do."""

    def place(f: Finding) -> tuple[str, int, str, int, str, str, str]:
        weight = 0 if f.kind in _CAUSES else 2 + _CHORES.index(f.kind) if f.kind in _CHORES else 1
        return f.topic, weight, str(f.file), f.line, f.kind, f.at, f.what

    return tuple(sorted(set(findings), key=place))


def relative(file: Path, root: Path) -> str:
    """A file's path for a reader: from `root` where it is inside."""
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def as_json(finding: Finding, root: Path) -> dict[str, Any]:
    """A finding for a script."""
    return {
        "kind": finding.kind,
        "topic": finding.topic,
        "version": finding.version,
        "at": finding.at,
        "file": relative(finding.file, root),
        "line": finding.line,
        "what": finding.what,
        "why": finding.why,
        "affected": finding.affected,
        "instead": finding.instead,
    }
