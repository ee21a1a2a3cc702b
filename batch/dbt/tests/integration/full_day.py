"""A day as large as Avazu's largest, generated straight into raw by SQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

# As many campaigns, sites, apps and codes as Avazu has; popularity falls steeply. Drawn apart from
# one another, so that they combine into more groups than real traffic does.
_IMPRESSIONS = """
INSERT INTO raw.{table} (
    event_day, partition, "offset", record_timestamp, schema_id, event_id, event_time, labelled,
    source, campaign_id, advertiser_id, creative_id, placement_type, placement_id,
    placement_domain, placement_category, banner_pos, device_type, connection_type,
    creative_width, creative_height, device_id, device_ip, device_model, cost_micros, currency,
    attributes, pricing_model)
SELECT
    %(day)s, number %% 4, number / 4, now(), 1,
    '1000000000' || number,
    %(day)s::timestamp AT TIME ZONE 'UTC' + interval '86400 seconds' * (number::float8 / %(rows)s),
    true, 'GENERATED',
    (1000 + floor(435 * campaign ^ 5))::int::text, 'a' || floor(60 * campaign),
    'c' || number %% 2626,
    CASE WHEN app < 0.36 THEN 'APP' ELSE 'SITE' END,
    CASE WHEN app < 0.36 THEN md5('app' || floor(8552 * place ^ 8)::int)::char(8)
        ELSE md5('site' || floor(4737 * place ^ 8)::int)::char(8) END,
    'f3845767', '28905ebd',
    CASE WHEN random() < 0.72 THEN 0 WHEN random() < 0.95 THEN 1 ELSE floor(2 + 5 * random()) END,
    CASE WHEN random() < 0.92 THEN 1 ELSE floor(5 * random()) END,
    CASE WHEN random() < 0.86 THEN 0 ELSE floor(4 * random()) END,
    320, 50, 'a99f214a', 'ddd2926e', '44956a24', (random() * 50000)::bigint, 'USD',
    '{{"C1": "1005", "C18": "0", "C19": "35", "C20": "-1"}}', 'CPM'
FROM (
    SELECT number, random() AS campaign, random() AS place, random() AS app
    FROM generate_series(0, %(rows)s - 1) AS number
) AS drawn
"""
_CLICKS = """
INSERT INTO raw.ad_clicks (
    event_day, partition, "offset", record_timestamp, schema_id, event_id, impression_id,
    event_time, impression_time, source, campaign_id, advertiser_id, creative_id, placement_type,
    placement_id, placement_domain, placement_category, banner_pos, device_type, connection_type,
    cost_micros, currency, pricing_model)
SELECT
    (clicked.event_time AT TIME ZONE 'UTC')::date, partition, "offset", record_timestamp, 1,
    event_id || '-k', event_id, clicked.event_time, shown.event_time, source, campaign_id,
    advertiser_id, creative_id, placement_type, placement_id, placement_domain,
    placement_category, banner_pos, device_type, connection_type, 1000, currency, 'CPC'
FROM raw.ad_impressions AS shown
CROSS JOIN LATERAL (
    SELECT shown.event_time + interval '1 second' * (1 - 45 * ln(random() + 1e-9)) AS event_time
) AS clicked
WHERE event_day = %(day)s AND "offset" %% 100 < 17
    AND (clicked.event_time AT TIME ZONE 'UTC')::date = %(day)s
"""
_CONVERSIONS = """
INSERT INTO raw.ad_conversions (
    event_day, partition, "offset", record_timestamp, schema_id, event_id, impression_id,
    event_time, impression_time, source, campaign_id, advertiser_id, creative_id, placement_type,
    placement_id, placement_domain, placement_category, banner_pos, device_type, connection_type,
    conversion_type, revenue_micros, currency)
SELECT
    event_day, partition, "offset", record_timestamp, 1, event_id || '-b', event_id, event_time,
    impression_time, source, campaign_id, advertiser_id, creative_id, placement_type,
    placement_id, placement_domain, placement_category, banner_pos, device_type, connection_type,
    'purchase', 25000000, currency
FROM raw.ad_clicks
WHERE event_day = %(day)s AND "offset" %% 60 = 0
"""
_MARK = """
INSERT INTO batch.days
SELECT %(day)s, clock_timestamp(), '',
    (SELECT count(*) FROM raw.ad_impressions WHERE event_day = %(day)s),
    (SELECT count(*) FROM raw.ad_clicks WHERE event_day = %(day)s),
    (SELECT count(*) FROM raw.ad_conversions WHERE event_day = %(day)s), 0, 0, 0, 0
"""


def generate(connection: psycopg.Connection[Any], day: date, impressions: int) -> None:
    """Fill a day's partitions with so many impressions, their clicks and conversions."""
    values = {"day": day, "rows": impressions}
    connection.execute("SELECT setseed(0.5)")
    for table in ("ad_impressions", "ad_clicks", "ad_conversions"):
        connection.execute(
            f"CREATE TABLE raw.{table}_{day:%Y%m%d} PARTITION OF raw.{table}"
            f" FOR VALUES IN ('{day}')".encode()
        )
    connection.execute(_IMPRESSIONS.format(table="ad_impressions").encode(), values)
    for statement in (_CLICKS, _CONVERSIONS, _MARK):
        connection.execute(statement.encode(), values)
    for table in ("ad_impressions", "ad_clicks", "ad_conversions"):
        connection.execute(f"ANALYZE raw.{table}_{day:%Y%m%d}".encode())
