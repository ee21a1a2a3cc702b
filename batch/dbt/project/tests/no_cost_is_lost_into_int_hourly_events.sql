-- Impressions cost, and clicks do: both are in the one sum, by the day on which they happened.
with before as (
    select
        event_day,
        cost_micros
    from {{ ref('stg_impressions') }}
    where {{ on_tested_days('event_day', 'source') }}

    union all

    select
        event_day,
        cost_micros
    from {{ ref('stg_clicks') }}
    where {{ on_tested_days('event_day', 'source') }}
),

summed_before as (
    select
        event_day,
        sum(cost_micros) as cost_micros_before
    from before
    group by event_day
),

summed_after as (
    select
        event_day,
        sum(cost_micros) as cost_micros
    from {{ ref('int_hourly_events') }}
    where {{ on_tested_days('event_day', 'source') }}
    group by event_day
)

select *
from summed_before
full join summed_after using (event_day)
where cost_micros_before is distinct from cost_micros
