{{ config(materialized='view') }}

{%- set dimensions %}
    source,
    campaign_id,
    placement_type,
    placement_id,
    banner_pos,
    device_type,
    connection_type,
    currency
{%- endset %}

select
    event_day as day,
    event_hour as hour,
    {{ dimensions }},
    impressions,
    labelled_impressions,
    clicks,
    0::bigint as attributed_clicks,
    conversions,
    cost_micros,
    revenue_micros
from {{ ref('int_hourly_events') }}

union all

select
    impression_day as day,
    impression_hour as hour,
    {{ dimensions }},
    0::bigint as impressions,
    0::bigint as labelled_impressions,
    0::bigint as clicks,
    attributed_clicks,
    0::bigint as conversions,
    0::numeric(38, 0) as cost_micros,
    0::numeric(38, 0) as revenue_micros
from {{ ref('int_hourly_attributed_clicks') }}
