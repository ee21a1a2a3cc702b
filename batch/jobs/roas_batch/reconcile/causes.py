"""Why two figures differ. Pure.

Three things that share no lineage are compared for each window, dimension and value: what the batch
counts (raw, from the archive), what the metrics topic says (the stream), and what the realtime
table holds (the cache writer). What is known about single records explains a difference before
anything is called missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Cause(StrEnum):
    """Why figures differ."""

    LATE = "late"
    """The stream has not passed these records yet, or the archive has not: no error."""
    DEAD_LETTER = "dead letter"
    """The archive reads them as events, ctr-stream has dead-lettered them."""
    MISSING = "missing"
    """In the batch (or in the metrics topic), not in realtime."""
    DOUBLED = "doubled"
    """Realtime has it more than once."""
    ALTERED = "altered"
    """The realtime table holds something else than its metrics topic."""
    KAFKA_RECORDS_DELETED = "kafka records deleted"
    """Archived records that Kafka no longer has, before their retention was over."""
    KAFKA_EXPIRED = "kafka expired"
    """Archived records that Kafka no longer has, as its retention says: no error."""
    ARCHIVE_MISSING = "archive missing"
    """Kafka has records that the archive lacks, though it goes on behind them."""
    RAW_MISSING = "raw missing"
    """A raw table has another number of rows than it was built with."""
    UNEXPLAINED = "unexplained"
    """None of the above."""


NO_ERRORS: Final = frozenset({Cause.LATE, Cause.KAFKA_EXPIRED})
"""Causes that a day agrees in spite of."""


class Figures(NamedTuple):
    """What is counted; money in millionths of the currency unit."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    cost_micros: int = 0
    revenue_micros: int = 0

    def plus(self, other: Figures) -> Figures:
        """The sum."""
        return Figures(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Figures) -> Figures:
        """The difference."""
        return Figures(*(a - b for a, b in zip(self, other, strict=True)))

    def is_multiple_of(self, other: Figures) -> bool:
        """Whether this is two, three, … times the other, in every measure."""
        times = next((a // b for a, b in zip(self, other, strict=True) if b), 0)
        return times >= 2 and self == Figures(*(times * b for b in other))


NOTHING: Final = Figures()


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A place where figures are compared; `window_start` in epoch milliseconds."""

    size: str
    window_start: int
    dimension: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one cell."""

    cell: Cell
    batch: Figures
    realtime: Figures | None
    """None where the table has no row."""
    topic: Figures | None
    """The deltas that the cache writer has read; None where they are not all retained."""
    on_time_deltas: int
    """How many times the stream closed the window, as the table says."""
    lagging: Figures = NOTHING
    """Of `batch`: records that the stream has not passed yet."""
    tail: Figures = NOTHING
    """Not archived yet, but passed by the stream."""
    hole: Figures = NOTHING
    """Never archived, though the archive goes on behind them."""
    dead: Figures = NOTHING
    """Of `batch`: records that ctr-stream has dead-lettered."""
    corrected: Figures = NOTHING
    """Of `realtime`: corrections."""


class Scope(StrEnum):
    """What a correction corrects."""

    STREAM = "stream"
    """What the stream counted: topic and table say the same, and it is wrong."""
    TABLE = "table"
    """The realtime table alone: its topic says something else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference of one cell, and what would correct it (None: nothing of ours)."""

    cause: Cause
    says: str
    """Which two lineages: "batch, realtime"."""
    expected: Figures
    got: Figures
    correction: Figures | None = None
    scope: Scope = Scope.STREAM


def explain(evidence: Evidence, batch_lacks: Cause | None = None) -> list[Finding]:
    """Every difference of a cell with its cause; empty where all agree.

    Args:
        evidence: what is known.
        batch_lacks: why the batch's own figures may be too small (RAW_MISSING, ARCHIVE_MISSING);
            None where the batch is whole. Nothing is corrected by a batch that is not.
    """
    realtime = evidence.realtime or NOTHING
    topic = evidence.topic
    findings = []
    if topic is not None and topic != realtime:
        findings.append(
            Finding(
                _cause_in_table(evidence, topic, realtime),
                "metrics topic, realtime",
                topic,
                realtime,
                topic.minus(realtime),
                Scope.TABLE,
            )
        )
    stream = realtime if topic is None else topic
    findings.extend(_against_batch(evidence, stream, batch_lacks))
    return findings


def _cause_in_table(evidence: Evidence, topic: Figures, realtime: Figures) -> Cause:
    if evidence.realtime is None:
        return Cause.MISSING
    return Cause.DOUBLED if realtime.is_multiple_of(topic) else Cause.ALTERED


def _against_batch(
    evidence: Evidence, stream: Figures, batch_lacks: Cause | None
) -> Sequence[Finding]:
    batch = evidence.batch
    if stream == batch:
        return []
    archived = batch.plus(evidence.tail).plus(evidence.hole)
    expected = archived.minus(evidence.lagging).minus(evidence.dead)
    says = "batch, realtime"
    explained = [
        Finding(cause, says, batch, stream)
        for cause, found in (
            (Cause.LATE, evidence.lagging.plus(evidence.tail)),
            (Cause.ARCHIVE_MISSING, evidence.hole),
            (Cause.DEAD_LETTER, evidence.dead),
        )
        if found != NOTHING
    ]
    if stream == expected:
        return explained
    cause, may_be_corrected = _cause_in_stream(evidence, stream, expected, batch_lacks)
    correction = expected.minus(stream) if may_be_corrected else None
    return [*explained, Finding(cause, says, expected, stream, correction)]


def _cause_in_stream(
    evidence: Evidence, stream: Figures, expected: Figures, batch_lacks: Cause | None
) -> tuple[Cause, bool]:
    """The cause, and whether a correction is right then: never where the batch may be short."""
    above = expected.minus(stream)
    if all(measure >= 0 for measure in above):
        return Cause.MISSING, batch_lacks is None
    if batch_lacks is not None:
        return batch_lacks, False
    if stream.is_multiple_of(expected):
        return Cause.DOUBLED, True
    if evidence.on_time_deltas > 1 and all(measure <= 0 for measure in above):
        return Cause.DOUBLED, True
    return Cause.UNEXPLAINED, False


class Counter:
    """Differences by cause, and the first of them in full. Memory does not grow with them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.by_cause: dict[Cause, int] = {}
        self.first: list[dict[str, object]] = []

    def add(self, cause: Cause, description: dict[str, object]) -> None:
        """Enter one difference. One that is no error never takes the place of one that is."""
        self.by_cause[cause] = self.by_cause.get(cause, 0) + 1
        if len(self.first) < self._most or cause not in NO_ERRORS:
            self.first.append(description)
        if len(self.first) > self._most:
            mild = [n for n, each in enumerate(self.first) if each["cause"] in NO_ERRORS]
            del self.first[mild[0] if mild else -1]

    @property
    def errors(self) -> int:
        """Differences that are errors."""
        return sum(n for cause, n in self.by_cause.items() if cause not in NO_ERRORS)
