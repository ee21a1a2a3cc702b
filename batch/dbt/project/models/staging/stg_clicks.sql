select
    event_day,
    date_trunc('hour', event_time, 'UTC') as event_hour,
    (impression_time at time zone 'UTC')::date as impression_day,
    date_trunc('hour', impression_time, 'UTC') as impression_hour,
    source,
    campaign_id,
    placement_type,
    placement_id,
    banner_pos,
    device_type,
    connection_type,
    cost_micros,
    currency
from {{ source('raw', 'ad_clicks') }}
