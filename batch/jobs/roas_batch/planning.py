"""What is still to be archived, and what is lost. Pure.

Offsets are numbers of one log: that of one topic of one cluster. They are counted from 0, so what
Kafka deleted before anything was archived is lost as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from roas_contracts.errors import MisconfigurationError


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Offsets [from, to)."""

    from_offset: int
    to_offset: int


@dataclass(frozen=True, slots=True)
class Log:
    """One partition as Kafka has it now: [start, end) can be read.

    `end` is the last stable offset: nothing below it is still undecided.
    """

    topic: str
    topic_id: str
    cluster_id: str
    partition: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog has of a partition: archived (live ones only), or accepted as lost."""

    topic: str
    topic_id: str
    cluster_id: str | None
    partition: int
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of one partition."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Ranges to archive, and ranges that nobody can archive any more."""

    ranges: Sequence[Range]
    lost: Sequence[Range]


def plan(logs: Iterable[Log], known: Iterable[Known], most: int) -> Plan:
    """What is to do: ranges of at most so many offsets, partitions taking turns.

    Raises:
        MisconfigurationError: a topic is another one than the archived, or ends before it.
    """
    by_partition: dict[tuple[str, int], list[Known]] = {}
    for each in known:
        by_partition.setdefault((each.topic, each.partition), []).append(each)
    lost: list[Range] = []
    queues: list[list[Range]] = []
    for log in logs:
        have = by_partition.get((log.topic, log.partition), [])
        check_identity(log, have)
        ours = [each.span for each in have if each.topic_id == log.topic_id]
        queue: list[Range] = []
        for gap in gaps(Span(0, log.end), ours):
            if gap.from_offset < log.start:
                gone = min(gap.to_offset, log.start)
                lost.append(Range(log.topic, log.partition, gap.from_offset, gone))
            first = max(gap.from_offset, log.start)
            queue.extend(
                Range(log.topic, log.partition, at, min(at + most, gap.to_offset))
                for at in range(first, gap.to_offset, most)
            )
        queues.append(queue)
    longest = max((len(queue) for queue in queues), default=0)
    # Taking turns: tasks that run side by side then read different partitions.
    turns = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
    return Plan(turns, lost)


def gaps(whole: Span, covered: Iterable[Span]) -> list[Span]:
    """The parts of `whole` that nothing covers, in order."""
    result = []
    position = whole.from_offset
    for span in sorted(covered):
        if span.from_offset >= whole.to_offset:
            break
        if span.from_offset > position:
            result.append(Span(position, span.from_offset))
        position = max(position, span.to_offset)
    if position < whole.to_offset:
        result.append(Span(position, whole.to_offset))
    return result


def check_identity(log: Log, known: Iterable[Known]) -> None:
    """The log must be the one that was archived; raises as `plan`."""
    for each in known:
        if each.cluster_id is None:
            continue
        if each.cluster_id != log.cluster_id:
            raise MisconfigurationError(
                f"this is Kafka cluster {log.cluster_id}, but archived is {log.topic} of cluster "
                f"{each.cluster_id}: set ROAS_BATCH_KAFKA_BOOTSTRAP, ROAS_BATCH_POSTGRES_DSN and "
                "ROAS_BATCH_ARCHIVE to what belongs together, or, if the cluster was set up anew "
                f"and filled from the archive, run `retire {log.topic}`"
            )
        if each.topic_id != log.topic_id:
            raise MisconfigurationError(
                f"the topic {log.topic} was deleted and created again (id {log.topic_id}, "
                f"archived is {each.topic_id}): if it was filled from the archive, or may start "
                f"from nothing, run `retire {log.topic}`, which archives it from its beginning"
            )
        if each.span.to_offset > log.end:
            raise MisconfigurationError(
                f"{log.topic}[{log.partition}] ends at {log.end}, but archived is "
                f"{each.span.to_offset}: Kafka has lost records that the archive still has; create "
                "the topic anew and fill it with `./roas producer restore`"
            )
