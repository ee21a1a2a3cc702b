{%- set days_asked_for = env_var('ROAS_DBT_DAYS', '') -%}

{{ config(incremental_strategy='delete+insert', unique_key='day') }}

with known as (
    {% if is_incremental() %}
        select
            day,
            source_built_at,
            reported_days,
            is_source,
            is_report,
            is_baseline,
            is_built
        from {{ this }}
    {% else %}
        select
            null::date as day,
            null::timestamptz as source_built_at,
            null::text as reported_days,
            null::boolean as is_source,
            null::boolean as is_report,
            null::boolean as is_baseline,
            null::boolean as is_built
        where false
    {% endif %}
),

-- Asked for, or newer than what was built from it; and what a build before did not finish.
source_days as (
    select
        complete.day,
        complete.built_at,
        known.reported_days
    from {{ ref('stg_days') }} as complete
    left join known on complete.day = known.day
    where
        {% if days_asked_for == 'all' %}
            true
        {% elif days_asked_for %}
            complete.day = any(string_to_array('{{ days_asked_for }}', ',')::date[])
        {% else %}
            known.source_built_at is null or known.source_built_at < complete.built_at
        {% endif %}
        or (known.is_source and not known.is_built)
),

-- Laterally, so that the partitions of these days alone are read.
attributed as (
    select
        source_days.day,
        clicked.impression_day
    from source_days
    cross join lateral (
        select distinct stg_clicks.impression_day
        from {{ ref('stg_clicks') }} as stg_clicks
        where stg_clicks.event_day = source_days.day
    ) as clicked
),

-- A click read belongs to the day of its impression; one that is not there any more belonged to one.
report_days as (
    select day from source_days
    union
    select impression_day as day from attributed
    union
    select unnest(string_to_array(reported_days, ',')::date[]) as day from source_days
    union
    select day from known
    where is_report and not is_built
),

days_there_are as (
    select day from known
    union
    select day from report_days
),

baseline_days as (
    select distinct days_there_are.day
    from days_there_are
    inner join report_days
        on days_there_are.day between report_days.day and report_days.day + {{ var('baseline_days') }}
    union
    select day from known
    where is_baseline and not is_built
)

select
    baseline_days.day,
    case
        when source_days.day is null then known.source_built_at else source_days.built_at
    end as source_built_at,
    case
        when source_days.day is null then known.reported_days
        else (
            select string_agg(attributed.impression_day::text, ',' order by attributed.impression_day)
            from attributed
            where attributed.day = source_days.day
        )
    end as reported_days,
    source_days.day is not null as is_source,
    report_days.day is not null as is_report,
    true as is_baseline,
    false as is_built,
    '{{ run_started_at }}'::timestamptz as requested_at,
    '{{ invocation_id }}' as requested_by
from baseline_days
left join report_days on baseline_days.day = report_days.day
left join source_days on baseline_days.day = source_days.day
left join known on baseline_days.day = known.day
