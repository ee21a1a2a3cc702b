{# Schemas are called what the models say, without dbt's prefix of the target: readers know them. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
