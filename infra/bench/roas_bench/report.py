"""What a benchmark says: as Markdown to commit, as JSON for scripts."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from roas_contracts.errors import MisconfigurationError


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that has to be reached, and whether it was."""

    text: str
    """What was asked for, such as `at least 2`."""
    reached: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report's table."""

    name: str
    value: str
    goal: Goal | None = None


@dataclass(slots=True)
class Report:
    """The outcome of one benchmark."""

    name: str
    title: str
    command: str
    """Reproduces it."""
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    """Every measurement, for JSON."""
    notes: list[str] = field(default_factory=list)
    """Paragraphs: what was compared, and how it was made sure that both did the same."""

    @property
    def reached(self) -> bool:
        """Whether every goal was."""
        return all(figure.goal is None or figure.goal.reached for figure in self.figures)

    def as_json(self) -> str:
        """One JSON object."""
        figures = [
            {
                "name": figure.name,
                "value": figure.value,
                "goal": figure.goal and figure.goal.text,
                "reached": figure.goal and figure.goal.reached,
            }
            for figure in self.figures
        ]
        return json.dumps(
            {
                "benchmark": self.name,
                "reached": self.reached,
                "machine": machine(),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": self.command,
                "figures": figures,
                "details": self.details,
            },
            ensure_ascii=False,
            indent=1,
        )

    def as_markdown(self) -> str:
        """The page that is committed."""
        lines = [
            f"# {self.title}",
            "",
            f"`{self.command}`, {datetime.now(UTC):%Y-%m-%d}, {machine()}.",
            "",
            "| | measured | goal |",
            "|---|---|---|",
            *(_row(figure) for figure in self.figures),
        ]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        """Write the page, and make its folder. Raises MisconfigurationError where it can't be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.as_markdown())
        except OSError as error:
            raise MisconfigurationError(f"{path} can't be written: {error.strerror}") from None


def machine() -> str:
    """Cores, memory, processor and system, for a person."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]}"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, for a note."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    if figure.goal is None:
        return f"| {figure.name} | {figure.value} | |"
    verdict = "reached" if figure.goal.reached else "**not reached**"
    return f"| {figure.name} | {figure.value} | {figure.goal.text}: {verdict} |"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
