"""A day as large as Avazu's largest, generated straight into raw by SQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

# As many campaigns, sites, apps and codes as Avazu has, and as many combinations: 230, 373, 639
# and 1,135 in 750 to 6,000 rows of an hour, where Avazu's first hour has 242, 374, 582 and 944.
_IMPRESSIONS = """
INSERT INTO raw.ad_impressions (
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
    1000 + (place * 37 + floor(60 * random() ^ 10)::int) %% 435, 'a' || place %% 60,
    'c' || number %% 2626,
    CASE WHEN is_app THEN 'APP' ELSE 'SITE' END, md5(is_app::text || place)::char(8),
    'f3845767', '28905ebd',
    CASE WHEN random() < 0.995 THEN (place %% 4 = 0)::int ELSE floor(7 * random()) END,
    CASE WHEN random() < 0.97 THEN 1 ELSE floor(5 * random()) END,
    CASE WHEN random() < 0.94 THEN 0 ELSE floor(4 * random()) END,
    320, 50, 'a99f214a', 'ddd2926e', '44956a24', (random() * 50000)::bigint, 'USD',
    '{"C1": "1005", "C18": "0", "C19": "35", "C20": "-1"}', 'CPM'
FROM (
    SELECT
        number, is_app,
        floor((CASE WHEN is_app THEN 8552 ELSE 4737 END) * random() ^ 40)::int AS place
    FROM (
        SELECT number, random() < 0.36 AS is_app
        FROM generate_series(0, %(rows)s - 1) AS number
    ) AS numbered
) AS placed
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
    for statement in (_IMPRESSIONS, _CLICKS, _CONVERSIONS, _MARK):
        connection.execute(statement.encode(), values)
    for table in ("ad_impressions", "ad_clicks", "ad_conversions"):
        connection.execute(f"ANALYZE raw.{table}_{day:%Y%m%d}".encode())
