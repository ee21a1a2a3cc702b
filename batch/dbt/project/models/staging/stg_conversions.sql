select
    event_day,
    date_trunc('hour', event_time, 'UTC') as event_hour,
    source,
    campaign_id,
    placement_type,
    placement_id,
    banner_pos,
    device_type,
    connection_type,
    revenue_micros,
    currency
from {{ source('raw', 'ad_conversions') }}
