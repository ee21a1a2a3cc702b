-- Counted by whoever wrote the day and counted again here, through the views of staging.
with rows_of_raw as (
    select
        event_day as day,
        1 as impressions,
        0 as clicks,
        0 as conversions
    from {{ ref('stg_impressions') }}
    where {{ on_tested_days('event_day', 'source') }}

    union all

    select
        event_day as day,
        0 as impressions,
        1 as clicks,
        0 as conversions
    from {{ ref('stg_clicks') }}
    where {{ on_tested_days('event_day', 'source') }}

    union all

    select
        event_day as day,
        0 as impressions,
        0 as clicks,
        1 as conversions
    from {{ ref('stg_conversions') }}
    where {{ on_tested_days('event_day', 'source') }}
),

counted as (
    select
        day,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(conversions) as conversions
    from rows_of_raw
    group by day
)

select
    days.day,
    days.impressions,
    days.clicks,
    days.conversions,
    counted.impressions as impressions_here,
    counted.clicks as clicks_here,
    counted.conversions as conversions_here
from {{ ref('stg_days') }} as days
left join counted on days.day = counted.day
where
    {{ on_tested_days('days.day', 'source') }}
    and (
        days.impressions <> coalesce(counted.impressions, 0)
        or days.clicks <> coalesce(counted.clicks, 0)
        or days.conversions <> coalesce(counted.conversions, 0)
    )
