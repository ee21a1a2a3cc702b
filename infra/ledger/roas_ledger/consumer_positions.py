"""How far the stream and the cache writer have come, and whether that is possible at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from roas_ledger.differences import Difference
from roas_ledger.evidence import Evidence
from roas_ledger.kafka_reader import Extent
from roas_ledger.postgres_lineage import ConsumedOffset, PostgresLineage
from roas_ledger.record import Partition
from roas_ledger.report import ConsumerLine, Report

CHECK = "consumed offsets"


def run(
    evidence: Evidence,
    postgres: PostgresLineage,
    stream_positions: Mapping[Partition, int],
    report: Report,
) -> None:
    """Enter every partition's position and lag, and check the cache writer's against the log.

    Being behind is no difference in itself: what it leaves out shows in the windows.
    """
    groups = evidence.expectations
    last = evidence.last_offsets()
    stored = postgres.consumed(groups.cache_group)
    metrics = [at for lineage in evidence.metrics.values() for at in lineage.books]
    report.consumers = [
        line(groups.stream_group, at, stream_positions.get(at), last.get(at), evidence.extents[at])
        for at in evidence.event_partitions
    ]
    report.consumers += [
        line(
            groups.cache_group,
            at,
            stored[at].next_offset if at in stored else None,
            last.get(at),
            evidence.extents[at],
        )
        for at in metrics
    ]
    extents = {at: evidence.extents[at] for at in metrics}
    found = list(impossible(extents, stored, evidence.cluster_id))
    between = "PostgreSQL's consumed offsets and the metrics topics"
    report.enter(CHECK, between, len(metrics), "partitions", found)


def line(
    group: str,
    partition: Partition,
    next_offset: int | None,
    last_offset: int | None,
    extent: Extent,
) -> ConsumerLine:
    """One consumer in one partition. It is behind by offsets up to the last record."""
    wanted = extent.start if last_offset is None else last_offset + 1
    reached = extent.start if next_offset is None else next_offset
    return ConsumerLine(
        group=group,
        topic=partition[0],
        partition=partition[1],
        next_offset=next_offset,
        end=extent.committed_end,
        behind=max(0, wanted - reached),
    )


def impossible(
    extents: Mapping[Partition, Extent],
    stored: Mapping[Partition, ConsumedOffset],
    cluster_id: str | None,
) -> Iterator[Difference]:
    """Consumed offsets that cannot belong to these logs."""
    for (topic, number), at in sorted(stored.items()):
        extent = extents.get((topic, number))
        place = f"realtime.consumed_offsets {topic}/{number}"
        if extent is None:
            continue
        if cluster_id is not None and at.cluster_id != cluster_id:
            yield Difference(
                check=CHECK,
                expected_from="Kafka",
                got_from="PostgreSQL",
                place=place,
                expected=cluster_id,
                got=at.cluster_id,
                measure="cluster id",
                detail="the tables were filled from another cluster",
            )
        elif at.next_offset > extent.high:
            yield Difference(
                check=CHECK,
                expected_from="Kafka",
                got_from="PostgreSQL",
                place=place,
                expected=extent.high,
                got=at.next_offset,
                measure="next_offset",
                detail="counted beyond the end of the log: the topic was made anew",
            )
        elif at.next_offset < extent.start:
            yield Difference(
                check=CHECK,
                expected_from="Kafka",
                got_from="PostgreSQL",
                place=place,
                expected=extent.start,
                got=at.next_offset,
                measure="next_offset",
                detail="records were deleted before they were counted",
            )
