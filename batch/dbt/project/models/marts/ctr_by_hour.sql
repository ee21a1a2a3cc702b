{{ config(
    meta={'day': 'day', 'days': 'baseline'},
    indexes=[{'columns': ['dimension', 'value', 'hour_of_day']}],
) }}

{%- set figures %}
    day,
    hour_of_day,
    dimension,
    value,
    impressions,
    labelled_impressions,
    clicks,
    attributed_clicks
{%- endset %}

-- The same hour of the days before, for all days at once: one pass, however many days are built.
with looking_back as (
    select
        {{ figures }},
        count(*) over days_before as baseline_days,
        coalesce(sum(impressions) over days_before, 0)::bigint as baseline_impressions,
        coalesce(sum(clicks) over days_before, 0)::bigint as baseline_clicks,
        stddev_samp(clicks::numeric / nullif(impressions, 0)) over days_before as baseline_stddev
    from {{ ref('int_hourly_ctr') }}
    where {{ around_days('day', 'baseline', var('baseline_days')) }}
    window days_before as (
        partition by dimension, value, hour_of_day
        order by day
        range between interval '{{ var('baseline_days') }} days' preceding and interval '1 day' preceding
    )
)

select
    {{ figures }},
    {{ ratio('clicks', 'impressions') }} as ctr,
    {{ wilson_low('clicks', 'impressions') }} as ctr_low,
    {{ wilson_high('clicks', 'impressions') }} as ctr_high,
    {{ ratio('attributed_clicks', 'labelled_impressions') }} as attributed_ctr,
    baseline_days,
    baseline_impressions,
    baseline_clicks,
    {{ ratio('baseline_clicks', 'baseline_impressions') }} as baseline_ctr,
    {{ wilson_low('baseline_clicks', 'baseline_impressions') }} as baseline_low,
    {{ wilson_high('baseline_clicks', 'baseline_impressions') }} as baseline_high,
    round(baseline_stddev, 9)::numeric(38, 9) as baseline_stddev
from looking_back
where {{ on_days('day', 'baseline') }}
