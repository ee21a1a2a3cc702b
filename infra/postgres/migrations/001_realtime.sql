-- What the cache-writer counts from the metrics topics. Readers use the views of realtime_v1;
-- these tables may change.

CREATE SCHEMA realtime;
COMMENT ON SCHEMA realtime IS
    'Live metrics, written by cache-writer only. Read them through realtime_v1.';

CREATE TABLE realtime.metrics_1m (
    window_start              timestamptz NOT NULL,
    dimension                 text        NOT NULL,
    value                     text        NOT NULL,
    currency                  text        NOT NULL,
    on_time_impressions       bigint      NOT NULL,
    on_time_clicks            bigint      NOT NULL,
    on_time_conversions       bigint      NOT NULL,
    on_time_cost_micros       bigint      NOT NULL,
    on_time_revenue_micros    bigint      NOT NULL,
    late_impressions          bigint      NOT NULL,
    late_clicks               bigint      NOT NULL,
    late_conversions          bigint      NOT NULL,
    late_cost_micros          bigint      NOT NULL,
    late_revenue_micros       bigint      NOT NULL,
    correction_impressions    bigint      NOT NULL,
    correction_clicks         bigint      NOT NULL,
    correction_conversions    bigint      NOT NULL,
    correction_cost_micros    bigint      NOT NULL,
    correction_revenue_micros bigint      NOT NULL,
    on_time_deltas            bigint      NOT NULL,
    late_deltas               bigint      NOT NULL,
    correction_deltas         bigint      NOT NULL,
    first_emitted_at          timestamptz NOT NULL,
    last_emitted_at           timestamptz NOT NULL,
    revision                  bigint      NOT NULL,
    updated_at                timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (window_start, dimension, value, currency)
) PARTITION BY RANGE (window_start);

COMMENT ON TABLE realtime.metrics_1m IS
    'Sums per one-minute window (event time), dimension and value, split by why they were counted. Partitioned by UTC day.';
COMMENT ON COLUMN realtime.metrics_1m.window_start IS 'Inclusive start of the window, event time.';
COMMENT ON COLUMN realtime.metrics_1m.dimension IS 'total, campaign, placement, banner_pos or device_type.';
COMMENT ON COLUMN realtime.metrics_1m.value IS 'The dimension''s value: all for total, site:<id> or app:<id> for placement.';
COMMENT ON COLUMN realtime.metrics_1m.currency IS 'ISO 4217 code of the amounts in this row.';
COMMENT ON COLUMN realtime.metrics_1m.on_time_impressions IS 'Impressions counted when the window closed.';
COMMENT ON COLUMN realtime.metrics_1m.on_time_clicks IS 'Clicks (by click time) counted when the window closed.';
COMMENT ON COLUMN realtime.metrics_1m.on_time_conversions IS 'Conversions counted when the window closed.';
COMMENT ON COLUMN realtime.metrics_1m.on_time_cost_micros IS 'Cost of those impressions and clicks, millionths of the currency unit.';
COMMENT ON COLUMN realtime.metrics_1m.on_time_revenue_micros IS 'Revenue of those conversions, millionths of the currency unit.';
COMMENT ON COLUMN realtime.metrics_1m.late_impressions IS 'Impressions that came after the window had closed.';
COMMENT ON COLUMN realtime.metrics_1m.late_clicks IS 'Clicks that came after the window had closed.';
COMMENT ON COLUMN realtime.metrics_1m.late_conversions IS 'Conversions that came after the window had closed.';
COMMENT ON COLUMN realtime.metrics_1m.late_cost_micros IS 'Cost of the late impressions and clicks, millionths.';
COMMENT ON COLUMN realtime.metrics_1m.late_revenue_micros IS 'Revenue of the late conversions, millionths.';
COMMENT ON COLUMN realtime.metrics_1m.correction_impressions IS 'Impressions by which reconciliation corrected the window (may be negative).';
COMMENT ON COLUMN realtime.metrics_1m.correction_clicks IS 'Clicks by which reconciliation corrected the window (may be negative).';
COMMENT ON COLUMN realtime.metrics_1m.correction_conversions IS 'Conversions by which reconciliation corrected the window (may be negative).';
COMMENT ON COLUMN realtime.metrics_1m.correction_cost_micros IS 'Cost by which reconciliation corrected the window, millionths (may be negative).';
COMMENT ON COLUMN realtime.metrics_1m.correction_revenue_micros IS 'Revenue by which reconciliation corrected the window, millionths (may be negative).';
COMMENT ON COLUMN realtime.metrics_1m.on_time_deltas IS 'How many ON_TIME records were added up: 1 in a normal life, 0 while only late ones came.';
COMMENT ON COLUMN realtime.metrics_1m.late_deltas IS 'How many LATE records were added up.';
COMMENT ON COLUMN realtime.metrics_1m.correction_deltas IS 'How many CORRECTION records were added up.';
COMMENT ON COLUMN realtime.metrics_1m.first_emitted_at IS 'When ctr-stream emitted the first of them, wall clock.';
COMMENT ON COLUMN realtime.metrics_1m.last_emitted_at IS 'When ctr-stream emitted the last of them, wall clock.';
COMMENT ON COLUMN realtime.metrics_1m.revision IS 'Grows by one with every committed change: a copy with a smaller one is older.';
COMMENT ON COLUMN realtime.metrics_1m.updated_at IS 'When this row was written last, wall clock.';

CREATE TABLE realtime.metrics_5m (LIKE realtime.metrics_1m INCLUDING ALL)
    PARTITION BY RANGE (window_start);
COMMENT ON TABLE realtime.metrics_5m IS
    'As metrics_1m, for windows of five minutes.';

-- Event times run from 2010 to today, so no fixed set of partitions will do, and a default
-- partition would hide a missing one and then block its creation. The writer asks for each day it
-- meets; a row without its partition is an error, never a row elsewhere.
CREATE FUNCTION realtime.ensure_day_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    child text := parent || '_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF parent NOT IN ('metrics_1m', 'metrics_5m') THEN
        RAISE EXCEPTION 'realtime.% is not partitioned by day', parent;
    END IF;
    IF to_regclass(format('realtime.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('realtime.ensure_day_partition', 0));
    IF to_regclass(format('realtime.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Attaching, unlike CREATE TABLE … PARTITION OF, does not lock readers of the parent out.
    EXECUTE format(
        'CREATE TABLE realtime.%I (LIKE realtime.%I INCLUDING DEFAULTS INCLUDING COMMENTS)',
        child, parent);
    EXECUTE format(
        'ALTER TABLE realtime.%I ATTACH PARTITION realtime.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child,
        day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('COMMENT ON TABLE realtime.%I IS %L', child,
        format('%s of %s (UTC day of the window''s start).', parent, day));
    RETURN true;
END
$$;
COMMENT ON FUNCTION realtime.ensure_day_partition(text, date) IS
    'Creates the partition of one UTC day where it is missing; true if it did. parent: metrics_1m or metrics_5m.';

CREATE TABLE realtime.freshness (
    window_size                  text        PRIMARY KEY CHECK (window_size IN ('1m', '5m')),
    newest_window_start          timestamptz NOT NULL,
    newest_complete_window_start timestamptz,
    newest_emitted_at            timestamptz NOT NULL,
    updated_at                   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE realtime.freshness IS
    'How far each window size has come; kept in the transactions that write the metrics.';
COMMENT ON COLUMN realtime.freshness.window_size IS '1m or 5m.';
COMMENT ON COLUMN realtime.freshness.newest_window_start IS 'Newest window that has anything in it, event time.';
COMMENT ON COLUMN realtime.freshness.newest_complete_window_start IS 'Newest window that closed: the ON_TIME record of dimension total is in. Null before the first.';
COMMENT ON COLUMN realtime.freshness.newest_emitted_at IS 'When ctr-stream emitted the newest record counted, wall clock.';
COMMENT ON COLUMN realtime.freshness.updated_at IS 'Last write, wall clock.';

CREATE SEQUENCE realtime.writer_epoch;
COMMENT ON SEQUENCE realtime.writer_epoch IS
    'Every start of a cache-writer takes the next number; only the holder of the newest one may commit.';

CREATE TABLE realtime.consumed_offsets (
    consumer_group         text        NOT NULL,
    topic                  text        NOT NULL,
    partition              integer     NOT NULL,
    next_offset            bigint      NOT NULL,
    cluster_id             text        NOT NULL,
    topic_id               text        NOT NULL,
    writer_epoch           bigint      NOT NULL,
    records_applied        bigint      NOT NULL DEFAULT 0,
    records_dead_lettered  bigint      NOT NULL DEFAULT 0,
    records_skipped        bigint      NOT NULL DEFAULT 0,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
);
COMMENT ON TABLE realtime.consumed_offsets IS
    'Up to where each partition is counted: written in the same transaction as the counts, so both or neither are there.';
COMMENT ON COLUMN realtime.consumed_offsets.consumer_group IS 'Consumer group, cache-writer.';
COMMENT ON COLUMN realtime.consumed_offsets.topic IS 'Kafka topic.';
COMMENT ON COLUMN realtime.consumed_offsets.partition IS 'Kafka partition.';
COMMENT ON COLUMN realtime.consumed_offsets.next_offset IS 'First offset that is not counted yet. Compared and set: a writer that expects another one is not the current writer.';
COMMENT ON COLUMN realtime.consumed_offsets.cluster_id IS 'Id of the Kafka cluster that the offsets belong to.';
COMMENT ON COLUMN realtime.consumed_offsets.topic_id IS 'Kafka''s id of the topic: a topic that was deleted and created again has another one.';
COMMENT ON COLUMN realtime.consumed_offsets.writer_epoch IS 'Epoch of the writer that owns the partition.';
COMMENT ON COLUMN realtime.consumed_offsets.records_applied IS 'Records of this partition that are in the metrics tables.';
COMMENT ON COLUMN realtime.consumed_offsets.records_dead_lettered IS 'Records of this partition that became dead letters.';
COMMENT ON COLUMN realtime.consumed_offsets.records_skipped IS 'Records of this partition meant for another consumer group.';
COMMENT ON COLUMN realtime.consumed_offsets.updated_at IS 'Last change, wall clock.';
