{#
    Nothing is lost or counted twice on the way from one relation to another: by day, sums are equal.
    A failing row is a day, with what came in (`_before`) and what came out.

    of: where the data comes from.
    sums: column of the model -> the expression over `of` that it must equal in sum.
    day, of_day: the columns with the day, here and there.
    days: which days of the build, see on_days.
#}
{% test conserves(model, of, sums, day='day', of_day='day', days='report') %}
with before as (
    select
        {{ of_day }} as day,
        {% for column, expression in sums.items() -%}
            coalesce({{ expression }}, 0) as {{ column }}_before{{ ',' if not loop.last }}
        {% endfor %}
    from {{ of }}
    where {{ on_tested_days(of_day, days) }}
    group by {{ of_day }}
),

after as (
    select
        {{ day }} as day,
        {% for column in sums -%}
            sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}
    where {{ on_tested_days(day, days) }}
    group by {{ day }}
)

select *
from before
full join after using (day)
where
    {% for column in sums -%}
        coalesce({{ column }}_before, 0) <> coalesce({{ column }}, 0) {{ 'or' if not loop.last }}
    {% endfor %}
{% endtest %}
