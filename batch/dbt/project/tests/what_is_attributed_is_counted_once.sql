-- All clicks of the days read, by the day of their impression: what the marts attribute to a day is
-- what was read for it, on whichever day it was clicked.
with read as (
    select
        impression_day as day,
        sum(attributed_clicks) as clicks_read
    from {{ ref('int_hourly_attributed_clicks') }}
    where {{ on_tested_days('impression_day', 'report') }}
    group by impression_day
),

attributed as (
    select
        day,
        sum(attributed_clicks) as clicks_attributed
    from {{ ref('campaign_daily') }}
    where {{ on_tested_days('day', 'report') }}
    group by day
)

select *
from read
full join attributed using (day)
where coalesce(clicks_read, 0) <> coalesce(clicks_attributed, 0)
