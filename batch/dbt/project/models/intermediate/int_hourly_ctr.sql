{{ config(
    meta={'day': 'day', 'days': 'report'},
    indexes=[{'columns': ['day']}],
) }}

with counted as (
    select
        day,
        hour,
        campaign_id,
        placement_type,
        placement_id,
        banner_pos,
        device_type,
        grouping(campaign_id, placement_id, banner_pos, device_type) as left_out,
        sum(impressions)::bigint as impressions,
        sum(labelled_impressions)::bigint as labelled_impressions,
        sum(clicks)::bigint as clicks,
        sum(attributed_clicks)::bigint as attributed_clicks
    from {{ ref('int_performance') }}
    where {{ on_days('day', 'report') }}
    group by grouping sets (
        (day, hour),
        (day, hour, campaign_id),
        (day, hour, placement_type, placement_id),
        (day, hour, banner_pos),
        (day, hour, device_type)
    )
)

-- Named as the stream names them, so that live figures and these can be joined.
select
    day,
    extract(hour from hour at time zone 'UTC')::integer as hour_of_day,
    case left_out
        when 15 then 'total'
        when 7 then 'campaign'
        when 11 then 'placement'
        when 13 then 'banner_pos'
        when 14 then 'device_type'
    end as dimension,
    case left_out
        when 15 then 'all'
        when 7 then campaign_id
        when 11 then lower(placement_type) || ':' || placement_id
        when 13 then banner_pos::text
        when 14 then device_type::text
    end as value,
    impressions,
    labelled_impressions,
    clicks,
    attributed_clicks
from counted
