"""The composition root: connects the lineages, and asks again while they are catching up."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

from roas_contracts.redis_layout import RedisMetricsReader
from roas_contracts.registry import Registry, SchemaSource
from roas_ledger.batch_lineage import archived
from roas_ledger.evaluation import evaluate
from roas_ledger.evidence import Evidence, Expectations
from roas_ledger.kafka_reader import KafkaReader
from roas_ledger.postgres_lineage import PostgresLineage
from roas_ledger.record import Partition
from roas_ledger.report import Report
from roas_ledger.settings import LedgerSettings

_ROUND_SECONDS = 1.0
_AT_REST_SECONDS = 4.0
_EVERYTHING = 2**63

RestMark: TypeAlias = tuple[dict[Partition, int], tuple[tuple[int | None, int], ...]]


def verify(
    settings: LedgerSettings,
    wait_seconds: float,
    allow_retention: bool,
    begin: Callable[[int], None],
    advance: Callable[[int], None],
) -> Report:
    """Run the ledger.

    As long as lineages differ it looks again, for deltas and dead letters take a moment to come
    through: until they agree, until nothing moves any more, or until `wait_seconds` are over.

    Args:
        settings: where everything is.
        wait_seconds: how long differences may last before they count; 0 looks once.
        allow_retention: compare what retention has left instead of calling it a difference.
        begin: called with the number of offsets that there are to read at first.
        advance: called with the number of offsets read since the last call.

    Raises:
        TransientError: Kafka, the registry, PostgreSQL or Redis does not answer.
        MisconfigurationError: a setting is wrong.
    """
    expectations = Expectations(
        stream_group=settings.stream_group,
        cache_group=settings.cache_group,
        currency=settings.currency,
        out_of_orderness_ms=settings.out_of_orderness_ms,
        allow_retention=allow_retention,
    )
    dsn = settings.postgres_dsn.get_secret_value()
    with (
        closing(KafkaReader(settings.kafka_bootstrap, advance)) as kafka,
        closing(Registry(settings.registry_url)) as registry,
        closing(RedisMetricsReader.connect(settings.redis_url.get_secret_value())) as redis,
    ):
        with PostgresLineage(dsn) as postgres:
            in_archive = archived(postgres)
            redis.freshness()  # Both have to answer before a long read begins.
        evidence = Evidence(kafka, SchemaSource(registry), expectations, _now_ms, in_archive)
        begin(evidence.pending())
        evidence.open()
        return _settled(evidence, dsn, redis, wait_seconds)


def _settled(
    evidence: Evidence, dsn: str, redis: RedisMetricsReader, wait_seconds: float
) -> Report:
    """Evaluate until exact, at rest, or out of time."""
    started = time.monotonic()
    mark: RestMark | None = None
    marked_at = started
    seen: dict[Partition, int] = {}
    while True:
        round_started = time.monotonic()
        positions = evidence.stream_positions()
        evidence.refresh()
        last_round = round_started - started >= wait_seconds
        if last_round:
            seen = dict.fromkeys(evidence.positions(), _EVERYTHING)
        evidence.settle_undecided(seen)
        evidence.settle_sent_again()
        with PostgresLineage(dsn) as postgres:
            report = evaluate(evidence, postgres, redis, positions, _now_ms())
        report.waited_seconds = round_started - started
        if report.exact or last_round:
            return report
        now = time.monotonic()
        current = (
            evidence.positions(),
            tuple((line.next_offset, line.behind) for line in report.consumers),
        )
        if current != mark:
            mark, marked_at = current, now
        elif now - marked_at >= _AT_REST_SECONDS and not any(
            line.behind for line in report.consumers
        ):
            # Nothing moves and nobody is behind: what differs now will differ for ever. One
            # more look, in which whatever was still undecided is settled.
            wait_seconds = 0.0
        # What the consumers have passed by now they have judged, and their dead letters will
        # be there in the next round.
        seen = {
            (line.topic, line.partition): line.next_offset
            for line in report.consumers
            if line.next_offset is not None
        }
        time.sleep(max(0.0, round_started + _ROUND_SECONDS - time.monotonic()))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
