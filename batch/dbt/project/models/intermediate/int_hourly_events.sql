{{ config(meta={'day': 'event_day', 'days': 'source'}, indexes=[{'columns': ['event_day']}]) }}

{%- set dimensions %}
    event_day,
    event_hour,
    source,
    campaign_id,
    placement_type,
    placement_id,
    banner_pos,
    device_type,
    connection_type,
    currency
{%- endset %}

with counted as (
    select
        {{ dimensions }},
        count(*) as impressions,
        count(*) filter (where is_labelled) as labelled_impressions,
        0 as clicks,
        0 as conversions,
        sum(cost_micros) as cost_micros,
        0 as revenue_micros
    from {{ ref('stg_impressions') }}
    where {{ on_days('event_day', 'source') }}
    group by {{ dimensions }}

    union all

    select
        {{ dimensions }},
        0 as impressions,
        0 as labelled_impressions,
        count(*) as clicks,
        0 as conversions,
        sum(cost_micros) as cost_micros,
        0 as revenue_micros
    from {{ ref('stg_clicks') }}
    where {{ on_days('event_day', 'source') }}
    group by {{ dimensions }}

    union all

    select
        {{ dimensions }},
        0 as impressions,
        0 as labelled_impressions,
        0 as clicks,
        count(*) as conversions,
        0 as cost_micros,
        sum(revenue_micros) as revenue_micros
    from {{ ref('stg_conversions') }}
    where {{ on_days('event_day', 'source') }}
    group by {{ dimensions }}
)

select
    {{ dimensions }},
    sum(impressions)::bigint as impressions,
    sum(labelled_impressions)::bigint as labelled_impressions,
    sum(clicks)::bigint as clicks,
    sum(conversions)::bigint as conversions,
    sum(cost_micros)::numeric(38, 0) as cost_micros,
    sum(revenue_micros)::numeric(38, 0) as revenue_micros
from counted
group by {{ dimensions }}
