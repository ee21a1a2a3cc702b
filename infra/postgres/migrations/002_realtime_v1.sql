-- The read interface of the realtime metrics, version 1. Columns are only ever added to it; a
-- change of meaning is a realtime_v2 beside it.

CREATE SCHEMA realtime_v1;
COMMENT ON SCHEMA realtime_v1 IS
    'Read interface of the realtime metrics, version 1: dashboards, alerts and checks read here.';

CREATE VIEW realtime_v1.metrics_1m AS
SELECT
    window_start,
    window_start + interval '1 minute' AS window_end,
    dimension,
    value,
    currency,
    on_time_impressions + late_impressions + correction_impressions AS impressions,
    on_time_clicks + late_clicks + correction_clicks AS clicks,
    on_time_conversions + late_conversions + correction_conversions AS conversions,
    on_time_cost_micros + late_cost_micros + correction_cost_micros AS cost_micros,
    on_time_revenue_micros + late_revenue_micros + correction_revenue_micros AS revenue_micros,
    (on_time_clicks + late_clicks + correction_clicks)::double precision
        / nullif(on_time_impressions + late_impressions + correction_impressions, 0) AS ctr,
    on_time_impressions,
    on_time_clicks,
    on_time_conversions,
    on_time_cost_micros,
    on_time_revenue_micros,
    late_impressions,
    late_clicks,
    late_conversions,
    late_cost_micros,
    late_revenue_micros,
    correction_impressions,
    correction_clicks,
    correction_conversions,
    correction_cost_micros,
    correction_revenue_micros,
    on_time_deltas,
    late_deltas,
    correction_deltas,
    first_emitted_at,
    last_emitted_at,
    revision,
    updated_at
FROM realtime.metrics_1m;
COMMENT ON VIEW realtime_v1.metrics_1m IS
    'Totals and CTR per window of one minute (event time), dimension and value. A window without any event has no row.';
COMMENT ON COLUMN realtime_v1.metrics_1m.window_start IS 'Inclusive start of the window, event time.';
COMMENT ON COLUMN realtime_v1.metrics_1m.window_end IS 'Exclusive end of the window.';
COMMENT ON COLUMN realtime_v1.metrics_1m.dimension IS 'total, campaign, placement, banner_pos or device_type.';
COMMENT ON COLUMN realtime_v1.metrics_1m.value IS 'The dimension''s value: all for total, site:<id> or app:<id> for placement.';
COMMENT ON COLUMN realtime_v1.metrics_1m.currency IS 'ISO 4217 code of the amounts.';
COMMENT ON COLUMN realtime_v1.metrics_1m.impressions IS 'Impressions in the window: on time, late and corrections.';
COMMENT ON COLUMN realtime_v1.metrics_1m.clicks IS 'Clicks whose click time falls in the window.';
COMMENT ON COLUMN realtime_v1.metrics_1m.conversions IS 'Conversions whose event time falls in the window.';
COMMENT ON COLUMN realtime_v1.metrics_1m.cost_micros IS 'Cost of those impressions and clicks, millionths of the currency unit.';
COMMENT ON COLUMN realtime_v1.metrics_1m.revenue_micros IS 'Revenue of those conversions, millionths of the currency unit.';
COMMENT ON COLUMN realtime_v1.metrics_1m.ctr IS 'Clicks of the window by impressions of the window; null where there are no impressions. May exceed 1 in a thin window, as a click counts when it happens.';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_impressions IS 'Impressions counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_clicks IS 'Clicks counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_conversions IS 'Conversions counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_cost_micros IS 'Cost in millionths counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_revenue_micros IS 'Revenue in millionths counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_impressions IS 'Impressions that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_clicks IS 'Clicks that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_conversions IS 'Conversions that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_cost_micros IS 'Cost in millionths that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_revenue_micros IS 'Revenue in millionths that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_impressions IS 'Impressions by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_clicks IS 'Clicks by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_conversions IS 'Conversions by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_cost_micros IS 'Cost in millionths by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_revenue_micros IS 'Revenue in millionths by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_1m.on_time_deltas IS 'ON_TIME records added up: 1 in a normal life.';
COMMENT ON COLUMN realtime_v1.metrics_1m.late_deltas IS 'LATE records added up.';
COMMENT ON COLUMN realtime_v1.metrics_1m.correction_deltas IS 'CORRECTION records added up.';
COMMENT ON COLUMN realtime_v1.metrics_1m.first_emitted_at IS 'When ctr-stream emitted the first record of this row, wall clock.';
COMMENT ON COLUMN realtime_v1.metrics_1m.last_emitted_at IS 'When ctr-stream emitted the last one, wall clock.';
COMMENT ON COLUMN realtime_v1.metrics_1m.revision IS 'Grows with every change of the row.';
COMMENT ON COLUMN realtime_v1.metrics_1m.updated_at IS 'When the row was written last, wall clock.';

CREATE VIEW realtime_v1.metrics_5m AS
SELECT
    window_start,
    window_start + interval '5 minutes' AS window_end,
    dimension,
    value,
    currency,
    on_time_impressions + late_impressions + correction_impressions AS impressions,
    on_time_clicks + late_clicks + correction_clicks AS clicks,
    on_time_conversions + late_conversions + correction_conversions AS conversions,
    on_time_cost_micros + late_cost_micros + correction_cost_micros AS cost_micros,
    on_time_revenue_micros + late_revenue_micros + correction_revenue_micros AS revenue_micros,
    (on_time_clicks + late_clicks + correction_clicks)::double precision
        / nullif(on_time_impressions + late_impressions + correction_impressions, 0) AS ctr,
    on_time_impressions,
    on_time_clicks,
    on_time_conversions,
    on_time_cost_micros,
    on_time_revenue_micros,
    late_impressions,
    late_clicks,
    late_conversions,
    late_cost_micros,
    late_revenue_micros,
    correction_impressions,
    correction_clicks,
    correction_conversions,
    correction_cost_micros,
    correction_revenue_micros,
    on_time_deltas,
    late_deltas,
    correction_deltas,
    first_emitted_at,
    last_emitted_at,
    revision,
    updated_at
FROM realtime.metrics_5m;
COMMENT ON VIEW realtime_v1.metrics_5m IS
    'Totals and CTR per window of five minutes (event time), dimension and value. A window without any event has no row.';
COMMENT ON COLUMN realtime_v1.metrics_5m.window_start IS 'Inclusive start of the window, event time.';
COMMENT ON COLUMN realtime_v1.metrics_5m.window_end IS 'Exclusive end of the window.';
COMMENT ON COLUMN realtime_v1.metrics_5m.dimension IS 'total, campaign, placement, banner_pos or device_type.';
COMMENT ON COLUMN realtime_v1.metrics_5m.value IS 'The dimension''s value: all for total, site:<id> or app:<id> for placement.';
COMMENT ON COLUMN realtime_v1.metrics_5m.currency IS 'ISO 4217 code of the amounts.';
COMMENT ON COLUMN realtime_v1.metrics_5m.impressions IS 'Impressions in the window: on time, late and corrections.';
COMMENT ON COLUMN realtime_v1.metrics_5m.clicks IS 'Clicks whose click time falls in the window.';
COMMENT ON COLUMN realtime_v1.metrics_5m.conversions IS 'Conversions whose event time falls in the window.';
COMMENT ON COLUMN realtime_v1.metrics_5m.cost_micros IS 'Cost of those impressions and clicks, millionths of the currency unit.';
COMMENT ON COLUMN realtime_v1.metrics_5m.revenue_micros IS 'Revenue of those conversions, millionths of the currency unit.';
COMMENT ON COLUMN realtime_v1.metrics_5m.ctr IS 'Clicks of the window by impressions of the window; null where there are no impressions. May exceed 1 in a thin window, as a click counts when it happens.';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_impressions IS 'Impressions counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_clicks IS 'Clicks counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_conversions IS 'Conversions counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_cost_micros IS 'Cost in millionths counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_revenue_micros IS 'Revenue in millionths counted when the window closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_impressions IS 'Impressions that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_clicks IS 'Clicks that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_conversions IS 'Conversions that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_cost_micros IS 'Cost in millionths that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_revenue_micros IS 'Revenue in millionths that came after it had closed.';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_impressions IS 'Impressions by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_clicks IS 'Clicks by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_conversions IS 'Conversions by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_cost_micros IS 'Cost in millionths by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_revenue_micros IS 'Revenue in millionths by which reconciliation corrected it (may be negative).';
COMMENT ON COLUMN realtime_v1.metrics_5m.on_time_deltas IS 'ON_TIME records added up: 1 in a normal life.';
COMMENT ON COLUMN realtime_v1.metrics_5m.late_deltas IS 'LATE records added up.';
COMMENT ON COLUMN realtime_v1.metrics_5m.correction_deltas IS 'CORRECTION records added up.';
COMMENT ON COLUMN realtime_v1.metrics_5m.first_emitted_at IS 'When ctr-stream emitted the first record of this row, wall clock.';
COMMENT ON COLUMN realtime_v1.metrics_5m.last_emitted_at IS 'When ctr-stream emitted the last one, wall clock.';
COMMENT ON COLUMN realtime_v1.metrics_5m.revision IS 'Grows with every change of the row.';
COMMENT ON COLUMN realtime_v1.metrics_5m.updated_at IS 'When the row was written last, wall clock.';

CREATE VIEW realtime_v1.freshness AS
SELECT
    window_size,
    newest_window_start,
    newest_complete_window_start,
    newest_complete_window_start
        + CASE window_size WHEN '1m' THEN interval '1 minute' ELSE interval '5 minutes' END
        AS complete_until,
    newest_emitted_at,
    updated_at
FROM realtime.freshness;
COMMENT ON VIEW realtime_v1.freshness IS
    'How fresh each window size is, by event time and by wall clock: say both beside every figure.';
COMMENT ON COLUMN realtime_v1.freshness.window_size IS '1m or 5m.';
COMMENT ON COLUMN realtime_v1.freshness.newest_window_start IS 'Newest window that has anything in it, event time.';
COMMENT ON COLUMN realtime_v1.freshness.newest_complete_window_start IS 'Newest window that closed, event time; null before the first.';
COMMENT ON COLUMN realtime_v1.freshness.complete_until IS 'Event time up to which windows are complete; null before the first.';
COMMENT ON COLUMN realtime_v1.freshness.newest_emitted_at IS 'When ctr-stream emitted the newest record counted, wall clock.';
COMMENT ON COLUMN realtime_v1.freshness.updated_at IS 'Last write, wall clock.';
