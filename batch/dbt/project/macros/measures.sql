{# What the three daily marts sum, by the same names. #}
{% macro summed_measures() -%}
    sum(impressions)::bigint as impressions,
    sum(labelled_impressions)::bigint as labelled_impressions,
    sum(clicks)::bigint as clicks,
    sum(attributed_clicks)::bigint as attributed_clicks,
    sum(conversions)::bigint as conversions,
    sum(cost_micros) as cost_micros,
    sum(revenue_micros) as revenue_micros
{%- endmacro %}

{# What they say of it, behind the columns of their grain. #}
{% macro measures() -%}
    source in ('AVAZU', 'GENERATED') as is_money_synthetic,
    impressions,
    labelled_impressions,
    clicks,
    attributed_clicks,
    conversions,
    {{ money('cost_micros') }} as cost,
    {{ money('revenue_micros') }} as revenue,
    {{ ratio('clicks', 'impressions') }} as ctr,
    {{ ratio('attributed_clicks', 'labelled_impressions') }} as attributed_ctr,
    {{ price('cost_micros', 'clicks') }} as cpc,
    {{ price('cost_micros', 'impressions', per=1000) }} as cpm,
    {{ price('cost_micros', 'conversions') }} as cpa,
    {{ ratio('revenue_micros', 'cost_micros') }} as roas
{%- endmacro %}
