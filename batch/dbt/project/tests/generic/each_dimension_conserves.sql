{# As conserves, for a model in which every dimension splits the same whole: each sums up to it. #}
{% test each_dimension_conserves(model, of, sums) %}
with before as (
    select
        performance.day,
        dimensions.dimension,
        {% for column in sums -%}
            sum(performance.{{ column }}) as {{ column }}_before{{ ',' if not loop.last }}
        {% endfor %}
    from {{ of }} as performance
    cross join (
        values ('total'), ('campaign'), ('placement'), ('banner_pos'), ('device_type')
    ) as dimensions (dimension)
    where {{ on_tested_days('performance.day', 'report') }}
    group by performance.day, dimensions.dimension
),

after as (
    select
        day,
        dimension,
        {% for column in sums -%}
            sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}
    where {{ on_tested_days('day', 'report') }}
    group by day, dimension
)

select *
from before
full join after using (day, dimension)
where
    {% for column in sums -%}
        {{ column }}_before is distinct from {{ column }} {{ 'or' if not loop.last }}
    {% endfor %}
{% endtest %}
