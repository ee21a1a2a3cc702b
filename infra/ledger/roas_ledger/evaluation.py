"""From evidence to a report: every check of the ledger, in the order in which it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from roas_contracts.redis_layout import RedisMetricsReader, WindowSize
from roas_ledger import batch_check, consumer_positions, dead_letter_check, retention
from roas_ledger.balance import CHECK, TopicBalance
from roas_ledger.event_lineage import EVENT_TOPICS
from roas_ledger.evidence import Evidence
from roas_ledger.latency import measure
from roas_ledger.postgres_lineage import PostgresLineage
from roas_ledger.progress_lineage import compare_progress
from roas_ledger.record import Partition
from roas_ledger.report import HorizonLine, InputLine, Report
from roas_ledger.window_check import WindowCheck
from roas_ledger.windows import ONE_MINUTE, iso, iso_or_none


def evaluate(
    evidence: Evidence,
    postgres: PostgresLineage,
    redis: RedisMetricsReader,
    stream_positions: dict[Partition, int],
    now_ms: int,
) -> Report:
    """Compare all lineages as they stand.

    Args:
        evidence: what Kafka holds; opened and refreshed.
        postgres: an open snapshot of the realtime tables.
        redis: the read interface of Redis.
        stream_positions: offsets that the stream has committed, by event partition.
        now_ms: the present, epoch milliseconds.

    Raises:
        TransientError: PostgreSQL or Redis does not answer.
    """
    report = Report(taken_at=iso(now_ms), horizon=_horizon(evidence))
    _retention(evidence, report)
    checks = {size: WindowCheck(evidence, size, postgres, redis, now_ms) for size in WindowSize}
    for check in checks.values():
        check.run(report)
    _balances(evidence, checks[ONE_MINUTE], report)
    dead_letter_check.run(evidence, report)
    _producer(evidence, report)
    batch_check.run(evidence, postgres, report)
    consumer_positions.run(evidence, postgres, stream_positions, report)
    one_minute = checks[ONE_MINUTE]
    report.latency = measure(one_minute.cached_totals, evidence.events.clocks, one_minute.warmed_at)
    report.notes.extend(_notes(evidence))
    return report


def _horizon(evidence: Evidence) -> HorizonLine:
    horizon = evidence.horizon
    return HorizonLine(
        watermark=iso_or_none(horizon.watermark),
        ends={size.value: iso_or_none(horizon.end(size)) for size in WindowSize},
        first_window=iso_or_none(evidence.span(ONE_MINUTE).first),
        held_by=None if horizon.held_by is None else _named(horizon.held_by),
        silent=[_named(partition) for partition in horizon.silent],
    )


def _retention(evidence: Evidence, report: Report) -> None:
    partitions = [
        *evidence.event_partitions,
        *(at for lineage in evidence.metrics.values() for at in lineage.books),
    ]
    extents = {at: evidence.extents[at] for at in partitions}
    if evidence.expectations.allow_retention:
        report.notes.extend(
            f"{_named(at)} has lost its first {count:,} offsets to retention;"
            " windows that they may have belonged to are not compared"
            for at, count in retention.gone(extents).items()
        )
        return
    found = list(retention.differences(extents))
    report.enter(retention.CHECK, "first offset of each log", len(extents), "partitions", found)


def _balances(evidence: Evidence, check: WindowCheck, report: Report) -> None:
    events, group = evidence.events, evidence.expectations.stream_group
    first = evidence.span(ONE_MINUTE).first
    for topic, measure_index in EVENT_TOPICS.items():
        books = {at: book for at, book in events.books.items() if at[0] == topic}
        on_time, late, corrections = (kind[measure_index] for kind in check.stored_totals)
        balance = TopicBalance(
            topic=topic,
            committed=sum(b.committed for b in books.values()) + events.arrived_since[topic],
            arrived_since=events.arrived_since[topic],
            on_time=on_time,
            late=late,
            corrections=corrections,
            dead=sum(
                1
                for at in books
                for offset in evidence.letters.of(group, at)
                if evidence.extents[at].start <= offset < evidence.cut[at]
            ),
            skipped=sum(book.skipped for book in books.values()),
            heartbeats=sum(book.heartbeats for book in books.values()),
            open=events.open[topic],
            before=0 if first is None else events.totals.total(measure_index, end=first),
        )
        report.topics.append(balance)
    found = [d for d in (line.difference() for line in report.topics) if d is not None]
    lines = len(report.topics)
    report.enter(CHECK, "committed records and where they went", lines, "topics", found)


def _producer(evidence: Evidence, report: Report) -> None:
    progress = evidence.progress
    report.inputs = [
        InputLine(
            name=line.input_name,
            key=line.input,
            rows_read=line.rows_read,
            impressions=line.impressions,
            clicks=line.clicks,
            conversions=line.conversions,
            dead_letters=line.dead_letters,
            finished=line.finished,
        )
        for line in progress.inputs.values()
    ]
    if not evidence.expectations.allow_retention:
        events, rows = evidence.events, len(evidence.letters.file_rows)
        held, external = events.from_producer, events.external
        found = list(compare_progress(evidence.progress_before, progress, held, external, rows))
        between = "producer-progress and its events in Kafka"
        report.enter("producer", between, len(progress.inputs), "inputs", found)


def _notes(evidence: Evidence) -> Iterable[str]:
    if evidence.horizon.watermark is None:
        yield "no event has been seen, so no window is known to be closed: nothing was compared"
    elif evidence.horizon.silent:
        yield (
            f"{', '.join(map(_named, evidence.horizon.silent))} never showed an event time;"
            " the stream closes windows without them after its idle timeout"
        )
    pending = {
        at: extent.high - extent.committed_end
        for at, extent in evidence.extents.items()
        if extent.high > extent.committed_end
    }
    for at, count in pending.items():
        yield f"{_named(at)}: {count:,} offsets belong to transactions that are still open"
    for topic, count in evidence.events.from_elsewhere.items():
        if count:
            yield (
                f"{topic}: {count:,} events did not come from the producer (another source, or"
                " replayed dead letters); its own count is compared without them"
            )
    for at, offsets in evidence.sent_again.items():
        if offsets:
            yield (
                f"{_named(at)}: {len(offsets):,} good records became dead letters and were sent"
                " again; they are counted where they were sent again"
            )
    for lineage in evidence.metrics.values():
        repeated = lineage.repeated_on_time
        for (start, series), count in sorted(repeated.items())[:20]:
            yield (
                f"{lineage.topic}: window {iso(start)} {series[0]}={series[1]} has"
                f" {count} ON_TIME deltas"
            )
        if len(repeated) > 20:
            yield f"{lineage.topic}: {len(repeated) - 20:,} more windows with repeated ON_TIME"
    copies = Counter(
        group
        for group in evidence.letters.groups()
        for at in evidence.letters.partitions(group)
        for letter in evidence.letters.of(group, at).values()
        if letter.copies > 1
    )
    for group, count in copies.items():
        yield f"dead-letters: {count:,} positions of {group} have more than one letter"


def _named(partition: Partition) -> str:
    return f"{partition[0]}/{partition[1]}"
