"""The command lines of the batch: which words do what. Always named ranges and days."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from roas_dags.settings import DagSettings


@dataclass(frozen=True, slots=True)
class Command:
    """One call of a tool.

    `tool` is its name at the front door (`./roas NAME`), `program` what is started instead.
    """

    tool: str
    program: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def argv(self) -> list[str]:
        """What is started."""
        return [*self.program, *self.arguments]

    def __str__(self) -> str:
        """What a person would type."""
        return " ".join(["./roas", self.tool, *self.arguments])


@dataclass(frozen=True, slots=True)
class Commands:
    """Builds the calls."""

    settings: DagSettings

    def plan(self) -> Command:
        """What there is to archive, what is lost, and which days are to be rebuilt."""
        return self._batch("plan")

    def archive(self, range_: Mapping[str, Any]) -> Command:
        """Keep one offset range."""
        return self._batch(
            "archive",
            *("--topic", str(range_["topic"])),
            *("--partition", str(range_["partition"])),
            *("--from", str(range_["from_offset"])),
            *("--to", str(range_["to_offset"])),
        )

    def rebuild(self, day: str) -> Command:
        """Build one event day of `raw` from the archive."""
        return self._batch("rebuild", "--day", day)

    def stale(self) -> Command:
        """Days that are newer in `raw` than in the marts."""
        return self._dbt("stale")

    def build(self, days: Iterable[str]) -> Command:
        """Build and test the marts of these days."""
        return self._dbt("build", "--days", ",".join(days))

    def reconcile(self, day: str, *, correct: bool) -> Command:
        """Compare stream, batch and Kafka for one day."""
        return self._batch("reconcile", "--day", day, *(["--correct"] if correct else []))

    def verify_archive(self, sample: int) -> Command:
        """Check checksums, and restore a sample."""
        return self._batch("verify-archive", "--sample", str(sample))

    def maintain(self, chore: str) -> Command:
        """One chore of `roas batch maintain`."""
        return self._batch("maintain", chore)

    def raise_incident(
        self, source: str, kind: str, subject: str, detail: Mapping[str, Any]
    ) -> Command:
        """Tell people."""
        return self._batch(
            *("incident", "raise", "--source", source, "--kind", kind),
            *("--subject", subject, "--detail", json.dumps(detail, sort_keys=True)),
        )

    def resolve_incidents(self, source: str, kinds: Iterable[str], why: str) -> Command:
        """Close what is no longer true."""
        named = [word for kind in kinds for word in ("--kind", kind)]
        return self._batch("incident", "resolve", "--source", source, *named, "--why", why)

    def _batch(self, *arguments: str) -> Command:
        return Command("batch", self.settings.batch_command, (*arguments, "--json"))

    def _dbt(self, *arguments: str) -> Command:
        return Command("dbt", self.settings.dbt_command, (*arguments, "--json"))
