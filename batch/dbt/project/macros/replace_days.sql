{#
    The incremental strategy of every table by day: the days of the build are replaced whole, in one
    transaction. dbt's own delete+insert deletes only days that have new rows: one that became empty
    would keep its old ones.

    A model says `meta: {day: <its column>, days: <source, report or baseline>}`. The lock makes a
    second build wait: it then sees, and replaces, what the first has written, and nothing is there twice.
#}
{% macro get_incremental_replace_days_sql(arguments) %}
    {%- set target = arguments['target_relation'] -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    {%- set meta = model.config.meta -%}
    lock table {{ target }} in share row exclusive mode;
    delete from {{ target }} where {{ on_days(meta['day'], meta['days']) }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
{% endmacro %}
