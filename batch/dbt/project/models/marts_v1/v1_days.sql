-- From the table of the batch, not from its staging view: that is replaced by each build, and with it
-- would go whatever is built on it, until the end of a build that ends well.
select
    coalesce(built_days.day, raw_days.day) as day,
    coalesce(
        int_days.is_built and (raw_days.built_at is null or built_days.source_built_at >= raw_days.built_at),
        false
    ) as is_current,
    built_days.source_built_at,
    built_days.built_at,
    raw_days.built_at as raw_built_at
from {{ ref('built_days') }} as built_days
full join {{ source('batch', 'days') }} as raw_days on built_days.day = raw_days.day
left join {{ ref('int_days') }} as int_days on built_days.day = int_days.day
