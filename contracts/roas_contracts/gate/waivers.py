"""Waivers of subject.yaml: a lint, one place, one change, a reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from roas_contracts.gate.findings import Finding
from roas_contracts.gate.lints import LINTS, OF_A_SUBJECT
from roas_contracts.source_lines import SourceLines
from roas_contracts.subjects import Subject, Waiver


@dataclass(slots=True)
class Waivers:
    """The waivers of one subject; it remembers which of them were needed."""

    subject: Subject
    _used: set[Waiver] = field(default_factory=set)

    def covers(self, lint: str, at: str, new: int, old: int = 0) -> bool:
        """Whether an objection is waived.

        Args:
            lint: its name.
            at: its place.
            new: the version that is objected to.
            old: the older one that it was compared with; 0 for the lints of one schema.
        """
        found = [
            waiver
            for waiver in self.subject.file.waivers
            if waiver.lint == lint and waiver.at == at and old < waiver.since <= new
        ]
        self._used.update(found)
        return bool(found)

    def mistakes(self) -> Iterator[Finding]:
        """Waivers of lints that there are not, and of what nobody objects to; ask last.

        Those of a change of subject.yaml may stay: once the base has it, nobody objects any more.
        """
        path = self.subject.directory / "subject.yaml"
        lines = SourceLines(path.read_text("utf-8"))
        for index, waiver in enumerate(self.subject.file.waivers):
            if waiver in self._used or waiver.lint in OF_A_SUBJECT:
                continue
            known = waiver.lint in LINTS
            yield Finding(
                kind="unused-waiver" if known else "unknown-lint",
                topic=self.subject.name,
                file=path,
                line=lines.of(("waivers", index, "lint")),
                at=f"waivers.{index}",
                what=(
                    f"nothing at {waiver.at} since v{waiver.since} is objected to by {waiver.lint}"
                    if known
                    else f"there is no lint {waiver.lint!r}: there are {_names()}"
                ),
                why="a waiver that waives nothing hides that the reason is gone" if known else "",
                instead="remove it, or correct `lint`, `at` or `since`" if known else "",
                unreadable=not known,
            )


def _names() -> str:
    return ", ".join(sorted(LINTS))
