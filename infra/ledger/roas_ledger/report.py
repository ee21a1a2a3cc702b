"""What the ledger found, as data. `roas_ledger.view` shows it to a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from roas_contracts import exit_codes
from roas_ledger.balance import TopicBalance
from roas_ledger.differences import Difference
from roas_ledger.latency import Latency

EXACT = "exact"
DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One pair of lineages: how much was compared, how much differs."""

    check: str
    between: str
    compared: int
    unit: str
    differences: int

    @property
    def ok(self) -> bool:
        """Whether the two agree."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class HorizonLine:
    """Up to where lineages were compared, in event time (ISO 8601)."""

    watermark: str | None
    ends: dict[str, str | None]
    first_window: str | None
    held_by: str | None
    silent: list[str]


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input of the producer, as it says itself."""

    name: str
    key: str
    rows_read: int
    impressions: int
    clicks: int
    conversions: int
    dead_letters: int
    finished: bool


@dataclass(frozen=True, slots=True)
class ConsumerLine:
    """How far a consumer has come in one partition. `behind` counts offsets."""

    group: str
    topic: str
    partition: int
    next_offset: int | None
    end: int
    behind: int


@dataclass(frozen=True, slots=True)
class LineageTotals:
    """The `total` dimension of one lineage over all compared windows of one size."""

    lineage: str
    size: str
    windows: int
    impressions: int
    clicks: int
    conversions: int
    cost_micros: int
    revenue_micros: int


@dataclass(slots=True)
class Report:
    """Everything that one run of the ledger has to say."""

    taken_at: str
    horizon: HorizonLine
    topics: list[TopicBalance] = field(default_factory=list)
    totals: list[LineageTotals] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    dead_letters: dict[str, int] = field(default_factory=dict)
    inputs: list[InputLine] = field(default_factory=list)
    consumers: list[ConsumerLine] = field(default_factory=list)
    latency: Latency | None = None
    notes: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    waited_seconds: float = 0.0

    def enter(
        self, check: str, between: str, compared: int, unit: str, found: list[Difference]
    ) -> None:
        """Enter one comparison and what it found."""
        self.comparisons.append(Comparison(check, between, compared, unit, len(found)))
        self.differences.extend(found)

    @property
    def exact(self) -> bool:
        """Whether no difference was found."""
        return not self.differences

    @property
    def exit_code(self) -> int:
        """The exit code of a command that gives this report."""
        return exit_codes.OK if self.exact else exit_codes.NO

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything, no difference left out."""
        return {
            "verdict": EXACT if self.exact else DIFFERS,
            "taken_at": self.taken_at,
            "waited_seconds": round(self.waited_seconds, 1),
            "horizon": asdict(self.horizon),
            "topics": [balance.as_dict() for balance in self.topics],
            "totals": [asdict(line) for line in self.totals],
            "comparisons": [{**asdict(line), "ok": line.ok} for line in self.comparisons],
            "dead_letters": self.dead_letters,
            "inputs": [asdict(line) for line in self.inputs],
            "consumers": [asdict(line) for line in self.consumers],
            "latency_ms": None if self.latency is None else self.latency.as_dict(),
            "notes": self.notes,
            "differences": [difference.as_dict() for difference in self.differences],
        }
