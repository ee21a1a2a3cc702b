select
    coalesce(built_days.day, stg_days.day) as day,
    coalesce(
        int_days.is_built and (stg_days.built_at is null or built_days.source_built_at >= stg_days.built_at),
        false
    ) as is_current,
    built_days.source_built_at,
    built_days.built_at,
    stg_days.built_at as raw_built_at
from {{ ref('built_days') }} as built_days
full join {{ ref('stg_days') }} as stg_days on built_days.day = stg_days.day
left join {{ ref('int_days') }} as int_days on built_days.day = int_days.day
