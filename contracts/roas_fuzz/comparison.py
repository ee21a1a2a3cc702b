"""Our verdict on a pair beside Java's."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Protocol

from roas_contracts.compatibility import (
    AvroSchema,
    IncompatibilityType,
    InvalidSchemaError,
    incompatibilities,
    parse_schema,
)
from roas_fuzz.oracle import OracleAnswer
from roas_fuzz.pairs import Pair

_BATCH = 500
KEPT_DISAGREEMENTS = 20
_AMBIGUOUS = "matches multiple fields"
"""What Java throws where we say AMBIGUOUS_FIELD."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One question that is answered differently."""

    number: int
    question: str
    ours: Any
    java: Any
    one: str
    other: str


@dataclass(slots=True)
class Report:
    """What came out of a comparison."""

    pairs: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    """Of each direction of each pair: "compatible", "incompatible", "invalid"."""
    types: Counter[str] = field(default_factory=Counter)
    """How often each type of incompatibility was found."""
    disagreements: int = 0
    kept: list[Disagreement] = field(default_factory=list)
    """The first of them."""

    def missing_types(self) -> list[str]:
        """Types that no pair led to: the comparison says nothing about them."""
        return [kind.value for kind in IncompatibilityType if not self.types[kind.value]]

    def as_dict(self) -> dict[str, Any]:
        """For a script."""
        return {
            "pairs": self.pairs,
            "disagreements": self.disagreements,
            "verdicts": dict(self.verdicts),
            "types": {kind.value: self.types[kind.value] for kind in IncompatibilityType},
            "examples": [asdict(each) for each in self.kept],
        }

    def add(self, pair: Pair, question: str, ours: Any, java: Any) -> None:
        """One question and both answers."""
        if ours == java:
            return
        self.disagreements += 1
        if len(self.kept) < KEPT_DISAGREEMENTS:
            self.kept.append(Disagreement(pair.number, question, ours, java, pair.one, pair.other))


class Answers(Protocol):
    """Who knows what Java says of pairs."""

    def ask(self, pairs: Sequence[Pair]) -> list[OracleAnswer]:
        """The answers to a batch, in its order."""


def compare(pairs: Iterable[Pair], oracle: Answers) -> Iterable[Report]:
    """The same report again and again, each time with more pairs in it."""
    report = Report()
    remaining = iter(pairs)
    with ThreadPoolExecutor(1) as java:
        while batch := list(islice(remaining, _BATCH)):
            answers = java.submit(oracle.ask, batch)
            own = [_Own(pair) for pair in batch]
            for ours, answer in zip(own, answers.result(), strict=True):
                ours.compare(answer, report)
            yield report


class _Own:
    """Our answer to a pair."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.schemas = [_parsed(pair.one), _parsed(pair.other)]
        one, other = self.schemas
        self.reads: tuple[list[list[str]], list[list[str]]] | None = None
        if isinstance(one, AvroSchema) and isinstance(other, AvroSchema):
            self.reads = (_verdict(one, other), _verdict(other, one))

    def compare(self, answer: OracleAnswer, report: Report) -> None:
        report.pairs += 1
        for name, ours, java in zip(("one", "other"), self.schemas, answer.refused, strict=True):
            if isinstance(ours, AvroSchema) != (java is None):
                told = "valid" if isinstance(ours, AvroSchema) else ours
                report.add(self.pair, f"is {name} valid", told, java or "valid")
        if self.reads is None or answer.reads is None:
            report.verdicts["invalid"] += 2
            return
        questions = ("one reads other", "other reads one")
        for question, verdict, said in zip(questions, self.reads, answer.reads, strict=True):
            report.verdicts["incompatible" if verdict else "compatible"] += 1
            report.types.update(kind for kind, _, _ in verdict)
            report.add(self.pair, question, *_comparable(verdict, said))


def _comparable(
    ours: list[list[str]], java: list[list[str]] | str
) -> tuple[list[list[str]] | str, list[list[str]] | str]:
    is_ambiguous = [kind for kind, _, _ in ours] == [IncompatibilityType.AMBIGUOUS_FIELD]
    if is_ambiguous and isinstance(java, str) and _AMBIGUOUS in java:
        return java, java
    return ours, java


def _parsed(text: str) -> AvroSchema | str:
    try:
        return parse_schema(text)
    except InvalidSchemaError as error:
        return str(error)


def _verdict(reader: AvroSchema, writer: AvroSchema) -> list[list[str]]:
    return [
        [found.type.value, found.path, found.message] for found in incompatibilities(reader, writer)
    ]
