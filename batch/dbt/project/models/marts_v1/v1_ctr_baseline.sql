with newest as (
    select max(day) as day
    from {{ ref('built_days') }}
    where source_built_at is not null
),

summed as (
    select
        newest.day as as_of_day,
        ctr_by_hour.dimension,
        ctr_by_hour.value,
        ctr_by_hour.hour_of_day,
        count(*) as days,
        sum(ctr_by_hour.impressions)::bigint as impressions,
        sum(ctr_by_hour.clicks)::bigint as clicks,
        stddev_samp(ctr_by_hour.ctr) as stddev
    from {{ ref('ctr_by_hour') }} as ctr_by_hour
    inner join newest
        on
            ctr_by_hour.day > newest.day - {{ var('baseline_days') }}
            and ctr_by_hour.day <= newest.day
    group by newest.day, ctr_by_hour.dimension, ctr_by_hour.value, ctr_by_hour.hour_of_day
)

select
    as_of_day,
    dimension,
    value,
    hour_of_day,
    days,
    impressions,
    clicks,
    {{ ratio('clicks', 'impressions') }} as ctr,
    {{ wilson_low('clicks', 'impressions') }} as ctr_low,
    {{ wilson_high('clicks', 'impressions') }} as ctr_high,
    round(stddev, 9)::numeric(38, 9) as stddev
from summed
