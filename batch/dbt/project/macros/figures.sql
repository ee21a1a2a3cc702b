{#
    Arithmetic of the marts. Where there is nothing to divide by, the answer is null.

    Scales: money numeric(38, 6), exact to the micro; prices per something numeric(38, 6) and ratios
    numeric(38, 9), rounded half away from zero. The dividends have twenty places, or PostgreSQL would
    stop dividing after sixteen digits, those before the point included.
#}
{% macro money(micros) -%}
    ({{ micros }} / 1000000::numeric)::numeric(38, 6)
{%- endmacro %}

{% macro ratio(part, whole) -%}
    round({{ part }}::numeric(60, 20) / nullif({{ whole }}, 0), 9)::numeric(38, 9)
{%- endmacro %}

{# Price per unit: money by so many things, times `per` (1000 for a price per thousand). #}
{% macro price(micros, things, per=1) -%}
    round(
        {{ micros }}::numeric(60, 20) * {{ per }} / (nullif({{ things }}, 0) * 1000000::numeric), 6
    )::numeric(38, 6)
{%- endmacro %}

{#
    Bounds of Wilson's interval of a proportion. Null without trials, and where there are more
    successes than trials: a click counts when it happens, so a thin hour may have more clicks than
    impressions, and that is no proportion.
#}
{% macro wilson_low(successes, trials) -%}
    {{ _wilson(successes, trials, '-') }}
{%- endmacro %}

{% macro wilson_high(successes, trials) -%}
    {{ _wilson(successes, trials, '+') }}
{%- endmacro %}

{% macro _wilson(successes, trials, sign) -%}
    {%- set z = var('interval_z') -%}
    case when {{ successes }} <= {{ trials }} and {{ trials }} > 0 then
        round(((
            {{ successes }} + {{ z }} ^ 2 / 2 {{ sign }} {{ z }} * sqrt(
                {{ successes }}::double precision * ({{ trials }} - {{ successes }}) / {{ trials }}
                + {{ z }} ^ 2 / 4
            )
        ) / ({{ trials }} + {{ z }} ^ 2))::numeric, 9)
    end::numeric(38, 9)
{%- endmacro %}
