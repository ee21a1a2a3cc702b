"""What a run found: every kill, how long each target took to recover, and the ledger's verdict."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from roas_chaos.plan import Aim, Kill, Target
from roas_contracts import exit_codes


@dataclass(slots=True)
class Outcome:
    """One kill that was done."""

    kill: Kill
    after_seconds: float
    """Since traffic began."""
    proof: str | None
    """What a witness said was under way at that moment."""
    recovered_seconds: float | None = None
    """Until the pipeline worked again; None as long as it does not."""


@dataclass(slots=True)
class Report:
    """A run, at its end."""

    seed: int
    planned: int
    outcomes: list[Outcome] = field(default_factory=list)
    producer_own_ends: list[str] = field(default_factory=list)
    """How the producer ended where nobody had killed it; it was started again."""
    failure: str | None = None
    """Why the run was given up."""
    ledger_code: int = exit_codes.UNAVAILABLE
    ledger: dict[str, Any] | None = None
    """The ledger's own report, where it came to one."""

    @property
    def exit_code(self) -> int:
        """0: exact, and everything recovered; 1: not; the ledger's own, where it could not say."""
        if self.ledger_code == exit_codes.OK and (self.failure or self.not_recovered):
            return exit_codes.NO
        return self.ledger_code

    @property
    def not_recovered(self) -> list[Outcome]:
        """Kills after which the pipeline did not work again in time."""
        return [outcome for outcome in self.outcomes if outcome.recovered_seconds is None]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "seed": self.seed,
            "planned": self.planned,
            "done": len(self.outcomes),
            "exact": self.ledger_code == exit_codes.OK,
            "exit_code": self.exit_code,
            "failure": self.failure,
            "targets": {target.value: line for target, line in self._targets()},
            "proofs": {aim.value: line for aim, line in self._proofs()},
            "producer_own_ends": self.producer_own_ends,
            "kills": [_kill(outcome) for outcome in self.outcomes],
            "ledger": self.ledger,
        }

    def sentences(self) -> Iterator[str]:
        """For a person."""
        yield f"seed {self.seed}: {len(self.outcomes)} of {self.planned} kills"
        for target, line in self._targets():
            p50, longest = line["recovered_p50_seconds"], line["recovered_max_seconds"]
            told = "never back" if p50 is None else f"back: p50 {p50:.1f} s, max {longest:.1f} s"
            yield f"  {target:<13}{line['kills']:>3} kills, {told}"
        for aim, line in self._proofs():
            yield f"  {line['proved']} of {line['aimed']} aimed into {aim} proved"
        if self.producer_own_ends:
            ends = ", ".join(f"{n} x {how}" for how, n in Counter(self.producer_own_ends).items())
            yield f"  the producer ended by itself and was started again: {ends}"
        for outcome in self.not_recovered:
            yield f"  kill {outcome.kill.number} ({outcome.kill.target}) was not recovered from"
        if self.failure:
            yield f"given up: {self.failure}"
        yield self._verdict()

    def _verdict(self) -> str:
        if self.ledger_code == exit_codes.OK:
            return "the ledger is exact"
        if self.ledger_code == exit_codes.NO and self.ledger is not None:
            return f"the ledger differs in {len(self.ledger['differences']):,} places"
        return "the ledger came to no verdict"

    def _targets(self) -> Iterator[tuple[Target, dict[str, Any]]]:
        for target in Target:
            mine = [outcome for outcome in self.outcomes if outcome.kill.target is target]
            took = [o.recovered_seconds for o in mine if o.recovered_seconds is not None]
            if mine:
                yield target, {
                    "kills": len(mine),
                    "recovered_p50_seconds": round(statistics.median(took), 1) if took else None,
                    "recovered_max_seconds": round(max(took), 1) if took else None,
                }

    def _proofs(self) -> Iterator[tuple[Aim, dict[str, int]]]:
        for aim in Aim:
            aimed = [outcome for outcome in self.outcomes if outcome.kill.aim is aim]
            if aimed and aim is not Aim.ANY:
                yield aim, {
                    "aimed": len(aimed),
                    "proved": sum(outcome.proof is not None for outcome in aimed),
                }


def _kill(outcome: Outcome) -> dict[str, Any]:
    kill = outcome.kill
    return {
        "number": kill.number,
        "target": kill.target.value,
        "inside": None if kill.aim is Aim.ANY else kill.aim.value,
        "on_top_of_others": not kill.recovered_first,
        "after_seconds": round(outcome.after_seconds, 1),
        "proof": outcome.proof,
        "recovered_seconds": (
            None if outcome.recovered_seconds is None else round(outcome.recovered_seconds, 1)
        ),
    }
