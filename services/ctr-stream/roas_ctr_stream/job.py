"""The job, from top to bottom: source → event time → sums → windows → sinks.

What is counted, by what, in which windows and under which rules is declared here. Per-event work
runs in the JVM, in the classes of `services/ctr-stream/java`; nothing of this file runs per event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyflink.datastream import StreamExecutionEnvironment

from roas_contracts import metric_key, rules
from roas_contracts.consuming.dead_letter_sink import largest_dead_letter_bytes
from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    AD_METRICS_1M,
    AD_METRICS_5M,
    DEAD_LETTERS,
)
from roas_contracts.subjects import load_subject
from roas_ctr_stream import GROUP, SERVICE, __version__
from roas_ctr_stream.jvm import Jvm
from roas_ctr_stream.settings import Settings

SHORT_WINDOW_MS: Final = 60_000
LONG_WINDOW_MS: Final = 300_000
COLLECT_LATE_MS: Final = 1_000
"""Late events of a window are gathered for this long and emitted as one delta."""
BUFFERED_SUMS: Final = 200_000
"""The pre-aggregation lets go at this many sums; usually a checkpoint comes long before."""
WAKING_MS: Final = 10_000
"""After a silence, time stands still this long, for idle partitions wake one by one."""
DISCOVER_PARTITIONS_MS: Final = 5_000
"""A topic may get more partitions: they are read from their beginning, soon enough."""
SPARE_BYTES: Final = 16 * 1024 * 1024
"""What the sink's client buffers beside the largest dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTopic:
    """One event topic: what it counts, and its columns that the rules look at."""

    topic: str
    measure: str
    ids: tuple[str, ...]
    impression_time: str | None = None
    cost: str | None = None
    revenue: str | None = None


TOPICS: Final = (
    CountedTopic(
        topic=AD_IMPRESSIONS,
        measure="IMPRESSION",
        ids=("event_id", "campaign_id", "placement_id"),
        cost="cost_micros",
    ),
    CountedTopic(
        topic=AD_CLICKS,
        measure="CLICK",
        ids=("event_id", "impression_id", "campaign_id", "placement_id"),
        impression_time="impression_time",
        cost="cost_micros",
    ),
    CountedTopic(
        topic=AD_CONVERSIONS,
        measure="CONVERSION",
        ids=("event_id", "impression_id", "campaign_id", "placement_id"),
        impression_time="impression_time",
        revenue="revenue_micros",
    ),
)

DIMENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    metric_key.TOTAL: (),
    metric_key.CAMPAIGN: ("campaign_id",),
    metric_key.PLACEMENT: ("placement_type", "placement_id"),
    metric_key.BANNER_POS: ("banner_pos",),
    metric_key.DEVICE_TYPE: ("device_type",),
}
"""Dimension → the columns that make its value."""


def build(
    environment: StreamExecutionEnvironment,
    jvm: Jvm,
    settings: Settings,
    schema_ids: Mapping[str, int],
    *,
    bounded: bool = False,
) -> None:
    """Declare the job in an environment.

    Args:
        environment: where it will run.
        jvm: has the jars of the Java part.
        settings: the deployment's.
        schema_ids: registry id of our schema for each topic that is written.
        bounded: read up to what is there now, close every window and end.
    """
    ours, flink = jvm.ours, jvm.java.org.apache.flink

    # Source: every record of every event topic becomes one event, heartbeat or dead letter.
    source = (
        flink.connector.kafka.source.KafkaSource.builder()
        .setBootstrapServers(settings.kafka_bootstrap)
        .setGroupId(GROUP)
        .setClientIdPrefix(SERVICE)
        .setTopics(jvm.strings([counted.topic for counted in TOPICS]))
        .setStartingOffsets(_offsets(jvm).earliest())
        .setProperty("isolation.level", "read_committed")
        .setProperty("partition.discovery.interval.ms", str(DISCOVER_PARTITIONS_MS))
        .setDeserializer(_deserializer(jvm, settings, schema_ids[DEAD_LETTERS]))
    )
    if bounded:
        source = source.setBounded(_offsets(jvm).latest())

    # Event time: each partition has its own clock, moved by events and heartbeats alone.
    clock = ours.EventClock(settings.out_of_orderness_ms, settings.idle_after_ms)
    records = _named(
        environment._j_stream_execution_environment.fromSource(source.build(), clock, "ad events"),
        "ad-events",
    )

    # Sums per minute and dimension value, in the source's chain; dead letters leave here.
    dead_letter_tag = jvm.side_output("dead-letters", "DeadLetter")
    sums = _named(
        records.transform(
            "sums per minute",
            jvm.type_of("WindowSums"),
            ours.WindowPreAggregation(
                SHORT_WINDOW_MS,
                BUFFERED_SUMS,
                min(WAKING_MS, settings.idle_after_ms // 2),
                dead_letter_tag,
            ),
        ),
        "window-pre-aggregation",
    )

    # Windows: one owner per dimension value closes them and decides what is late.
    long_window_tag = jvm.side_output("long-windows", "MetricDelta")
    every_event = f"{metric_key.TOTAL}:{metric_key.ALL}"
    windows = _named(
        sums.keyBy(ours.WindowKey()).transform(
            "windows",
            jvm.type_of("MetricDelta"),
            ours.WindowTime(
                ours.WindowTotals(
                    SHORT_WINDOW_MS, LONG_WINDOW_MS, COLLECT_LATE_MS, every_event, long_window_tag
                )
            ),
        ),
        "window-totals",
    )

    # Sinks: visible to read_committed readers when the checkpoint behind them is complete.
    def metrics(topic: str) -> Any:
        return ours.MetricSerializer(
            topic, settings.currency, _encoder(jvm, topic, schema_ids[topic])
        )

    _write(jvm, settings, windows, AD_METRICS_1M, metrics(AD_METRICS_1M))
    _write(
        jvm, settings, windows.getSideOutput(long_window_tag), AD_METRICS_5M, metrics(AD_METRICS_5M)
    )
    # Not in the source's chain: a source that waits for the registry must not hold up the commit
    # of dead letters that a completed checkpoint already covers.
    _write(
        jvm,
        settings,
        sums.getSideOutput(dead_letter_tag),
        DEAD_LETTERS,
        ours.DeadLetterSerializer(DEAD_LETTERS),
    ).disableChaining()


def _deserializer(jvm: Jvm, settings: Settings, dead_letter_schema_id: int) -> Any:
    ours = jvm.ours
    topics = [
        ours.EventTopic(
            counted.topic,
            counted.measure,
            load_subject(counted.topic).latest.text,
            jvm.strings(counted.ids),
            counted.impression_time,
            counted.cost,
            counted.revenue,
            rules.FREE_UNDER.get(counted.topic),
        )
        for counted in TOPICS
    ]
    dimensions = [
        ours.Dimension(name, jvm.strings(columns)) for name, columns in DIMENSIONS.items()
    ]
    bounds = ours.RuleBounds(
        GROUP,
        settings.currency,
        rules.EARLIEST_MS,
        rules.MAX_AHEAD_MS,
        rules.MAX_ID_BYTES,
        rules.MAX_MONEY_MICROS,
    )
    return ours.AdEventDeserializer(
        jvm.array("EventTopic", topics),
        jvm.array("Dimension", dimensions),
        bounds,
        settings.registry_url,
        ours.DeadLetterEncoder(
            GROUP,
            SERVICE,
            __version__,
            _encoder(jvm, DEAD_LETTERS, dead_letter_schema_id),
            largest_dead_letter_bytes(),
        ),
    )


def _write(jvm: Jvm, settings: Settings, stream: Any, topic: str, serializer: Any) -> Any:
    """An exactly-once sink.

    Transactions live as long as the broker lets them: a completed checkpoint's transactions are
    committed when the job is back, and what has timed out by then would be lost. The price, a
    reader held up by an orphan, is paid by nobody: the sink aborts its orphans when it starts.
    """
    kafka = jvm.java.org.apache.flink.connector.kafka.sink
    guarantee = jvm.java.org.apache.flink.connector.base.DeliveryGuarantee
    # The client's limit is on a request before packing: the framing comes on top.
    largest = load_subject(DEAD_LETTERS).file.topic.max_message_bytes
    sink = (
        kafka.KafkaSink.builder()
        .setBootstrapServers(settings.kafka_bootstrap)
        .setRecordSerializer(serializer)
        .setDeliveryGuarantee(guarantee.EXACTLY_ONCE)
        .setTransactionNamingStrategy(kafka.TransactionNamingStrategy.POOLING)
        .setTransactionalIdPrefix(f"roas-ctr-stream-{topic}")
        .setProperty("transaction.timeout.ms", str(settings.transaction_timeout_ms))
        .setProperty("compression.type", "lz4")
        # A dead letter holds a whole record, unpacked: the client's defaults would stop the job.
        .setProperty("max.request.size", str(largest))
        .setProperty("buffer.memory", str(largest + SPARE_BYTES))
        .build()
    )
    return stream.sinkTo(sink).name(topic).uid(f"sink-{topic}")


def _encoder(jvm: Jvm, topic: str, schema_id: int) -> Any:
    return jvm.ours.AvroEncoder(schema_id, load_subject(topic).latest.text)


def _offsets(jvm: Jvm) -> Any:
    initializers = jvm.java.org.apache.flink.connector.kafka.source.enumerator.initializer
    return initializers.OffsetsInitializer


def _named(stream: Any, uid: str) -> Any:
    """State is found again by this name, whatever else changes in the job."""
    return stream.uid(uid)
