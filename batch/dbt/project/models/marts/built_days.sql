{{ config(
    incremental_strategy='delete+insert',
    unique_key='day',
    post_hook="update {{ ref('int_days') }} set is_built = true where not is_built",
) }}

-- After all marts, and after their tests have passed.
-- depends_on: {{ ref('campaign_daily') }}
-- depends_on: {{ ref('placement_daily') }}
-- depends_on: {{ ref('audience_daily') }}
-- depends_on: {{ ref('ctr_by_hour') }}
select
    day,
    source_built_at,
    requested_at as built_at
from {{ ref('int_days') }}
where not is_built
