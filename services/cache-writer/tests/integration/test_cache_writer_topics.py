"""Offsets mean something in one log only; and what a transaction aborted never was."""

from __future__ import annotations

import dataclasses

from cache_writer_stack import CacheWriterStack, wait_until, window_deltas
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.cimpl import NewPartitions

from roas_contracts import exit_codes
from roas_contracts.events import AD_METRICS_1M, DeltaKind
from roas_contracts.subjects import load_subjects
from roas_contracts.topics import create_topics


def test_aborted_transactions_are_not_seen(stack: CacheWriterStack) -> None:
    producer = stack.producer()
    stack.send(window_deltas(0), producer)
    producer.begin_transaction()
    for one in window_deltas(1):
        stack.put(producer, one)
    producer.flush(30)
    producer.abort_transaction(30)
    stack.send(window_deltas(2), producer)
    writer = stack.writer()
    stack.wait_until_counted()
    writer.wait_until_ready()
    stack.assert_exact()

    def offsets_are_at_the_ends() -> bool:
        rows = stack.query("SELECT topic, partition, next_offset FROM realtime.consumed_offsets")
        with stack.consumer() as consumer:
            return all(
                stack.end(consumer, topic, partition) == offset for topic, partition, offset in rows
            )

    # Transaction markers take offsets too: the lag of a writer that has read all must be zero.
    wait_until("the offsets are behind the markers", offsets_are_at_the_ends)
    wait_until("its lag is zero", lambda: writer.readiness().get("lag_records") == 0)


def test_late_deltas_have_their_own_columns_and_a_window_restated_twice_is_right_twice(
    stack: CacheWriterStack,
) -> None:
    first = window_deltas(0, values=3)
    stack.send(first)
    writer = stack.writer()
    stack.wait_until_counted()
    restatement = [dataclasses.replace(one, kind=DeltaKind.LATE, impressions=7) for one in first]
    for times in (1, 2):
        stack.send(restatement)
        stack.wait_until_counted()
        stack.assert_exact()
        for size in ("1m", "5m"):
            rows = stack.query(
                "SELECT impressions, on_time_impressions, late_impressions, on_time_clicks, "
                f"late_clicks, clicks, on_time_deltas, late_deltas FROM realtime_v1.metrics_{size} "
                "WHERE dimension = 'total'"
            )
            total = next(one for one in first if one.dimension == "total")
            late_clicks = times * total.clicks
            assert rows == [
                (
                    total.impressions + 7 * times,
                    total.impressions,
                    7 * times,
                    total.clicks,
                    late_clicks,
                    total.clicks + late_clicks,
                    1,
                    times,
                )
            ]
    writer.wait_until_ready()


def test_partitions_added_to_a_topic_are_read_from_their_beginning(
    stack: CacheWriterStack,
) -> None:
    stack.send(window_deltas(0))
    writer = stack.writer()
    stack.wait_until_counted()
    grown = stack.admin.create_partitions([NewPartitions(AD_METRICS_1M, 5)], operation_timeout=30)
    grown[AD_METRICS_1M].result(30)
    wait_until("the broker shows the new partitions", lambda: _partitions(stack) == 5)
    try:
        stack.send(window_deltas(1))  # A client of its own: it knows of all five.
        with stack.consumer() as consumer:
            ends = [stack.end(consumer, AD_METRICS_1M, partition) for partition in (2, 3, 4)]
        assert max(ends) > 0, "nothing went to the new partitions"
        stack.wait_until_counted()
        writer.wait_until_ready()
        stack.assert_exact()
    finally:
        stack.admin.delete_topics([AD_METRICS_1M], operation_timeout=30)[AD_METRICS_1M].result(30)
        _create_again(stack)


def test_a_recreated_topic_is_refused_until_it_is_rebound(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0))
    writer = stack.writer()
    stack.wait_until_counted()
    assert writer.stop() == exit_codes.OK
    stack.admin.delete_topics([AD_METRICS_1M], operation_timeout=30)[AD_METRICS_1M].result(30)
    _create_again(stack)
    stack.send(window_deltas(1))

    refused = stack.writer()
    assert refused.wait() == exit_codes.USAGE
    assert "deleted and created again" in refused.log
    assert "rebind ad-metrics-1m" in refused.log
    assert stack.applied() == len(window_deltas(0))

    assert stack.cli("rebind", AD_METRICS_1M, "--yes").returncode == exit_codes.OK
    counting = stack.writer()
    wait_until("both are counted", lambda: len(stack.in_postgres()) == len(stack.sent))
    counting.wait_until_ready()
    wait_until("Redis has them", lambda: stack.in_redis() == stack.in_postgres())


def test_records_deleted_before_they_were_counted_are_a_loud_loss(stack: CacheWriterStack) -> None:
    stack.send(window_deltas(0))
    writer = stack.writer()
    stack.wait_until_counted()
    assert writer.stop() == exit_codes.OK
    stack.send(window_deltas(1))
    end = wait_until("the second window is committed", lambda: _settled_end(stack))
    stack.admin.delete_records([TopicPartition(AD_METRICS_1M, 0, end)])
    wait_until("Kafka has deleted them", lambda: _first(stack) == end)

    refused = stack.writer()
    assert refused.wait() == exit_codes.USAGE
    assert "deleted before they were counted" in refused.log

    going_on = stack.writer(ACCEPT_LOST_RECORDS="true")
    going_on.wait_until_ready()
    wait_until("the rest is counted", lambda: going_on.readiness().get("lag_records") == 0)
    assert len(window_deltas(0)) < stack.applied() < len(stack.sent)


def _create_again(stack: CacheWriterStack) -> None:
    def created() -> bool:
        try:
            create_topics(stack.admin, load_subjects().values(), max_replication=1)
        except KafkaException:
            return False
        return AD_METRICS_1M in stack.admin.list_topics(timeout=10).topics

    wait_until("the topic is there again", created)


def _partitions(stack: CacheWriterStack) -> int:
    return len(stack.admin.list_topics(AD_METRICS_1M, timeout=10).topics[AD_METRICS_1M].partitions)


def _first(stack: CacheWriterStack) -> int:
    with stack.consumer() as consumer:
        return stack.bounds(consumer, AD_METRICS_1M, 0)[0]


def _settled_end(stack: CacheWriterStack) -> int | None:
    """The partition's end, when no transaction is open: its marker may come after the answer."""
    with stack.consumer() as committed, stack.consumer("read_uncommitted") as everything:
        end = stack.end(everything, AD_METRICS_1M, 0)
        return end if stack.end(committed, AD_METRICS_1M, 0) == end else None
