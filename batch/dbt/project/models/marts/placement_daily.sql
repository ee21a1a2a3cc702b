{{ config(meta={'day': 'day', 'days': 'report'}) }}

with summed as (
    select
        day,
        placement_type,
        placement_id,
        source,
        currency,
        {{ summed_measures() }}
    from {{ ref('int_performance') }}
    where {{ on_days('day', 'report') }}
    group by day, placement_type, placement_id, source, currency
)

select
    day,
    placement_type,
    placement_id,
    lower(placement_type) || ':' || placement_id as placement,
    source,
    currency,
    {{ measures() }}
from summed
