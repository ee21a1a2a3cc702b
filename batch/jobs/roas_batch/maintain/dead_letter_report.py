"""Dead letters that nobody has resolved, by who failed and why, with their age."""

from __future__ import annotations

from typing import Any

from roas_batch.postgres import Connection


def unresolved(connection: Connection) -> list[dict[str, Any]]:
    """One entry per consumer group, topic and reason, the oldest first; empty is a good day."""
    rows = connection.execute(
        "SELECT consumer_group, coalesce(topic, 'file rows'), reason, count(*),"
        " count(*) FILTER (WHERE state = 'quarantined'), min(first_failed_at), max(failed_at),"
        " extract(epoch FROM now() - min(first_failed_at))::bigint"
        " FROM errors_v1.dead_letters WHERE state IN ('open', 'quarantined')"
        " GROUP BY 1, 2, 3 ORDER BY 6, 1, 2, 3"
    ).fetchall()
    names = (
        "consumer_group",
        "topic",
        "reason",
        "unresolved",
        "quarantined",
        "oldest",
        "newest",
        "oldest_age_seconds",
    )
    return [dict(zip(names, row, strict=True)) for row in rows]
