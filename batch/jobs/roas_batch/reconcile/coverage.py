"""The archive against Kafka's offsets, for a day: what is gone there, what lacks here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from roas_batch.catalog import ArchivedRange
from roas_batch.planning import Known, Log, Range, Span, gaps

Position = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Gone:
    """Archived offsets that Kafka no longer has, and why it has not."""

    topic: str
    partition: int
    span: Span
    why: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How archive and Kafka cover each other."""

    gone: Sequence[Gone]
    """Of the day's archived ranges."""
    unarchived: Sequence[Range]
    """Kafka still has them: to be archived, or forgotten."""
    lost: Sequence[Range]
    """Deleted before they were archived, accepted as lost or not."""
    ends: Mapping[Position, int]
    """First offset behind everything archived, by partition."""


def coverage(
    logs: Iterable[Log], of_the_day: Iterable[ArchivedRange], known: Iterable[Known]
) -> Coverage:
    """Hold the catalog against the logs.

    Args:
        logs: the event topics as they stand.
        of_the_day: archived ranges with events of the day.
        known: everything that is archived or accepted as lost.
    """
    here = {(log.topic, log.partition): log for log in logs}
    archived: dict[Position, list[Span]] = {}
    accepted: dict[Position, list[Span]] = {}
    strangers: set[Position] = set()
    for each in known:
        at = (each.topic, each.partition)
        if at not in here:
            continue
        if each.topic_id != here[at].topic_id:
            strangers.add(at)
            continue
        kind = accepted if each.cluster_id is None else archived
        kind.setdefault(at, []).append(each.span)
    lost = [Range(*at, s.from_offset, s.to_offset) for at, spans in accepted.items() for s in spans]
    unarchived = []
    for at, log in here.items():
        if at in strangers and at not in archived:
            continue  # Another topic of that name: nothing of it was ever to be archived.
        for gap in gaps(Span(0, log.end), archived.get(at, []) + accepted.get(at, [])):
            if gap.from_offset < log.start:
                lost.append(Range(*at, gap.from_offset, min(gap.to_offset, log.start)))
            if gap.to_offset > log.start:
                first = max(gap.from_offset, log.start)
                unarchived.append(Range(*at, first, gap.to_offset))
    return Coverage(
        gone=_merged(gone for each in of_the_day for gone in _gone(each, here)),
        unarchived=unarchived,
        lost=lost,
        ends={at: max(span.to_offset for span in spans) for at, spans in archived.items()},
    )


def _gone(each: ArchivedRange, here: Mapping[Position, Log]) -> Iterable[Gone]:
    log = here.get((each.topic, each.partition))
    if log is None or log.topic_id != each.topic_id or log.cluster_id != each.cluster_id:
        yield Gone(each.topic, each.partition, each.span, "the topic was created again")
        return
    below = min(each.span.to_offset, log.start)
    if each.span.from_offset < below:
        span = Span(each.span.from_offset, below)
        yield Gone(each.topic, each.partition, span, f"the log starts at {log.start}")
    behind = max(each.span.from_offset, log.end)
    if behind < each.span.to_offset:
        span = Span(behind, each.span.to_offset)
        yield Gone(each.topic, each.partition, span, f"the log ends at {log.end}")


def _merged(gone: Iterable[Gone]) -> list[Gone]:
    """Neighbouring ranges as one."""
    result: list[Gone] = []
    for each in sorted(gone, key=lambda one: (one.topic, one.partition, one.span)):
        last = result[-1] if result else None
        if last is not None and (last.topic, last.partition, last.why, last.span.to_offset) == (
            each.topic,
            each.partition,
            each.why,
            each.span.from_offset,
        ):
            span = Span(last.span.from_offset, each.span.to_offset)
            result[-1] = Gone(last.topic, last.partition, span, last.why)
        else:
            result.append(each)
    return result
