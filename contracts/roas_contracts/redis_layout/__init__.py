"""The Redis read interface, version 1: keys, value encoding, read scripts and a reader.

docs/redis-layout.md describes it for people and for readers in other languages. One hash holds
one window of one dimension: its fields are the dimension's values. Hence the last windows of a
value are one script over as many hashes, the top N of a dimension is one script over one hash,
and a window that got too old leaves as one key.

    roas:v1:{1m}:w:campaign:1413849600000    hash  value -> encoded `WindowTotals`
    roas:v1:{1m}:index                       zset  "campaign:1413849600000" scored by window start
    roas:v1:{1m}:meta                        hash  newest complete window, freshness, bounds

Only the cache-writer writes here; PostgreSQL is the truth and this is rebuilt from it.
"""

from roas_contracts.redis_layout.answers import Freshness, SizeFreshness, TopBy, TopEntry
from roas_contracts.redis_layout.keys import (
    PREFIX,
    VERSION,
    LayoutError,
    WindowSize,
    dimension_prefix,
    index_key,
    index_member,
    meta_key,
    parse_index_member,
    window_key,
)
from roas_contracts.redis_layout.reader import CTR_MIN_IMPRESSIONS, RedisMetricsReader
from roas_contracts.redis_layout.values import (
    NOTHING,
    Measures,
    WindowTotals,
    decode_totals,
    encode_totals,
)

__all__ = [
    "CTR_MIN_IMPRESSIONS",
    "Freshness",
    "LayoutError",
    "Measures",
    "NOTHING",
    "PREFIX",
    "RedisMetricsReader",
    "SizeFreshness",
    "TopBy",
    "TopEntry",
    "VERSION",
    "WindowSize",
    "WindowTotals",
    "decode_totals",
    "dimension_prefix",
    "encode_totals",
    "index_key",
    "index_member",
    "meta_key",
    "parse_index_member",
    "window_key",
]
