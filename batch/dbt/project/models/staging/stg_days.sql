select
    day,
    built_at,
    impressions,
    clicks,
    conversions
from {{ source('batch', 'days') }}
