{{ config(
    meta={'day': 'event_day', 'days': 'source'},
    indexes=[{'columns': ['event_day']}, {'columns': ['impression_day']}],
) }}

{%- set dimensions %}
    event_day,
    impression_day,
    impression_hour,
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
    {{ dimensions }},
    count(*) as attributed_clicks
from {{ ref('stg_clicks') }}
where {{ on_days('event_day', 'source') }}
group by {{ dimensions }}
