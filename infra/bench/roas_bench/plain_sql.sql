-- The same windows over the same topics in plain Flink SQL: what the stream is compared with.
-- No rules, no dead letters, no late deltas: a record that does not decode ends this job.

CREATE TEMPORARY TABLE impressions (
    event_time     TIMESTAMP(3) NOT NULL,
    campaign_id    STRING       NOT NULL,
    placement_type STRING       NOT NULL,
    placement_id   STRING       NOT NULL,
    banner_pos     INT          NOT NULL,
    device_type    INT          NOT NULL,
    cost_micros    BIGINT       NOT NULL,
    WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH ('topic' = 'ad-impressions', 'avro-confluent.schema' = '$impressions_schema', $source);

CREATE TEMPORARY TABLE clicks (
    event_time     TIMESTAMP(3) NOT NULL,
    campaign_id    STRING       NOT NULL,
    placement_type STRING       NOT NULL,
    placement_id   STRING       NOT NULL,
    banner_pos     INT          NOT NULL,
    device_type    INT          NOT NULL,
    cost_micros    BIGINT       NOT NULL,
    WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH ('topic' = 'ad-clicks', 'avro-confluent.schema' = '$clicks_schema', $source);

CREATE TEMPORARY TABLE conversions (
    event_time     TIMESTAMP(3) NOT NULL,
    campaign_id    STRING       NOT NULL,
    placement_type STRING       NOT NULL,
    placement_id   STRING       NOT NULL,
    banner_pos     INT          NOT NULL,
    device_type    INT          NOT NULL,
    revenue_micros BIGINT       NOT NULL,
    WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH ('topic' = 'ad-conversions', 'avro-confluent.schema' = '$conversions_schema', $source);

CREATE TEMPORARY TABLE metrics_1m (
    dimension      STRING       NOT NULL,
    `value`        STRING       NOT NULL,
    window_start   TIMESTAMP(3) NOT NULL,
    impressions    BIGINT       NOT NULL,
    clicks         BIGINT       NOT NULL,
    conversions    BIGINT       NOT NULL,
    cost_micros    BIGINT       NOT NULL,
    revenue_micros BIGINT       NOT NULL
) WITH ('topic' = '$topic_1m', 'sink.transactional-id-prefix' = '$topic_1m', $sink);

CREATE TEMPORARY TABLE metrics_5m WITH (
    'topic' = '$topic_5m', 'sink.transactional-id-prefix' = '$topic_5m'
) LIKE metrics_1m (OVERWRITING OPTIONS);

CREATE TEMPORARY VIEW events AS
SELECT event_time, campaign_id, placement_type, placement_id, banner_pos, device_type,
       CAST(1 AS BIGINT) AS impressions, CAST(0 AS BIGINT) AS clicks,
       CAST(0 AS BIGINT) AS conversions, cost_micros, CAST(0 AS BIGINT) AS revenue_micros
FROM impressions
UNION ALL
SELECT event_time, campaign_id, placement_type, placement_id, banner_pos, device_type,
       CAST(0 AS BIGINT), CAST(1 AS BIGINT), CAST(0 AS BIGINT), cost_micros, CAST(0 AS BIGINT)
FROM clicks
UNION ALL
SELECT event_time, campaign_id, placement_type, placement_id, banner_pos, device_type,
       CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(1 AS BIGINT), CAST(0 AS BIGINT), revenue_micros
FROM conversions;

CREATE TEMPORARY VIEW one_minute AS
SELECT
    window_start AS minute_start,
    window_time  AS minute_time,
    CASE GROUPING_ID(campaign_id, placement_type, placement_id, banner_pos, device_type)
        WHEN 31 THEN 'total' WHEN 15 THEN 'campaign' WHEN 19 THEN 'placement'
        WHEN 29 THEN 'banner_pos' ELSE 'device_type'
    END AS dimension,
    CASE GROUPING_ID(campaign_id, placement_type, placement_id, banner_pos, device_type)
        WHEN 31 THEN 'all' WHEN 15 THEN campaign_id
        WHEN 19 THEN LOWER(placement_type) || ':' || placement_id
        WHEN 29 THEN CAST(banner_pos AS STRING) ELSE CAST(device_type AS STRING)
    END AS `value`,
    SUM(impressions) AS impressions, SUM(clicks) AS clicks, SUM(conversions) AS conversions,
    SUM(cost_micros) AS cost_micros, SUM(revenue_micros) AS revenue_micros
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time, GROUPING SETS (
    (), (campaign_id), (placement_type, placement_id), (banner_pos), (device_type)
);

INSERT INTO metrics_1m
SELECT dimension, `value`, minute_start, impressions, clicks, conversions, cost_micros,
       revenue_micros
FROM one_minute;

INSERT INTO metrics_5m
SELECT dimension, `value`, window_start, SUM(impressions), SUM(clicks), SUM(conversions),
       SUM(cost_micros), SUM(revenue_micros)
FROM TABLE(TUMBLE(TABLE one_minute, DESCRIPTOR(minute_time), INTERVAL '5' MINUTE))
GROUP BY window_start, window_end, dimension, `value`;
