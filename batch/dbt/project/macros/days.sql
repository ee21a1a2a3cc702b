{#
    The days of the build, as a condition on a column: literals, so that PostgreSQL reads the
    partitions of these days alone. False when there is nothing to build.

    column: the column with the day.
    kind: source (days read from raw), report (days whose figures change: also those of the
        impressions behind the clicks read) or baseline (also the days that look back on them).
#}
{% macro on_days(column, kind) -%}
    {{ _among(column, _requested(kind, 'not is_built')) }}
{%- endmacro %}

{# As on_days, for tests: the days of the build, after it those of the last one. #}
{% macro on_tested_days(column, kind) -%}
    {%- set building = _requested(kind, 'not is_built') -%}
    {%- set last = "requested_at = (select max(l.requested_at) from " ~ ref('int_days') ~ " as l)" -%}
    {{ _among(column, building or _requested(kind, last)) }}
{%- endmacro %}

{% macro _requested(kind, condition) -%}
    {%- set days = ref('int_days') -%}
    {%- if not execute or load_relation(days) is none -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set found = run_query(
        "select day from " ~ days ~ " where is_" ~ kind ~ " and " ~ condition ~ " order by day"
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}

{% macro _among(column, days) -%}
    {%- if days -%}
        {{ column }} in (
        {%- for day in days %}date '{{ day }}'{% if not loop.last %}, {% endif %}{% endfor -%}
        )
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# From so many days before the first of the days of the build to the last of them. #}
{% macro around_days(column, kind, days_before) -%}
    {%- set days = _requested(kind, 'not is_built') -%}
    {%- if days -%}
        {{ column }} between date '{{ days | min }}' - {{ days_before }} and date '{{ days | max }}'
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}
