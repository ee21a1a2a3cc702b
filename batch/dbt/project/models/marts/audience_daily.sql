{{ config(meta={'day': 'day', 'days': 'report'}) }}

with summed as (
    select
        day,
        device_type,
        connection_type,
        placement_type,
        source,
        currency,
        {{ summed_measures() }}
    from {{ ref('int_performance') }}
    where {{ on_days('day', 'report') }}
    group by day, device_type, connection_type, placement_type, source, currency
)

select
    day,
    device_type,
    connection_type,
    placement_type,
    source,
    currency,
    {{ measures() }}
from summed
