{{ config(meta={'day': 'day', 'days': 'report'}) }}

with summed as (
    select
        day,
        campaign_id,
        source,
        currency,
        {{ summed_measures() }}
    from {{ ref('int_performance') }}
    where {{ on_days('day', 'report') }}
    group by day, campaign_id, source, currency
)

select
    summed.day,
    summed.campaign_id,
    coalesce(campaigns.campaign_name, 'campaign ' || summed.campaign_id) as campaign_name,
    summed.source,
    summed.currency,
    {{ measures() }}
from summed
left join {{ ref('campaigns') }} as campaigns on summed.campaign_id = campaigns.campaign_id
