"""The SQL of the store."""

from __future__ import annotations

from typing import Final

NEXT_EPOCH: Final = "SELECT nextval('errors.writer_epoch')"

OFFSETS: Final = """
    SELECT topic, partition, next_offset, cluster_id, topic_id, writer_epoch
    FROM errors.consumed_offsets WHERE consumer_group = %s
"""

CLAIM: Final = """
    UPDATE errors.consumed_offsets SET writer_epoch = %s
    WHERE consumer_group = %s AND writer_epoch < %s
"""

ADD_PARTITION: Final = """
    INSERT INTO errors.consumed_offsets (
        consumer_group, topic, partition, next_offset, cluster_id, topic_id, writer_epoch)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""

REBIND: Final = "DELETE FROM errors.consumed_offsets WHERE consumer_group = %s AND topic = %s"

ADVANCE: Final = """
    UPDATE errors.consumed_offsets AS o SET
        next_offset = d.next_offset, records = o.records + d.records, updated_at = now()
    FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS d (topic, partition, expected, next_offset, records)
    WHERE o.consumer_group = %s AND o.topic = d.topic AND o.partition = d.partition
        AND o.next_offset = d.expected AND o.writer_epoch = %s
"""
"""Compare and set: changes a row only where offset and epoch are what this writer expects."""

LETTER_COLUMNS: Final = (
    'dead_letter_id, origin_type, topic, partition, "offset", file_name, line, key, '
    "consumer_group, service, service_version, stage, reason, detail, schema_id, "
    "first_failed_at, failed_at, deliveries, replay_of, record_bytes, letter"
)

INCOMING: Final = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming ON COMMIT DELETE ROWS AS
    SELECT {LETTER_COLUMNS} FROM errors.dead_letters WITH NO DATA
"""

COPY_LETTERS: Final = f"COPY incoming ({LETTER_COLUMNS}) FROM STDIN"

INSERT_LETTERS: Final = f"""
    INSERT INTO errors.dead_letters AS d ({LETTER_COLUMNS})
    SELECT {LETTER_COLUMNS} FROM incoming
    ON CONFLICT (dead_letter_id) DO UPDATE SET
        deliveries = d.deliveries + excluded.deliveries,
        first_failed_at = least(d.first_failed_at, excluded.first_failed_at),
        failed_at = greatest(d.failed_at, excluded.failed_at)
"""

COUNT_REPLAYS: Final = """
    WITH RECURSIVE below AS (
        SELECT dead_letter_id FROM incoming
        UNION
        SELECT d.dead_letter_id FROM errors.dead_letters AS d
        JOIN below ON d.replay_of = below.dead_letter_id
    ), above AS (
        SELECT d.dead_letter_id, d.replay_of AS ancestor, 1 AS replays
        FROM errors.dead_letters AS d JOIN below USING (dead_letter_id)
        WHERE d.replay_of IS NOT NULL
        UNION ALL
        SELECT above.dead_letter_id, d.replay_of, above.replays + 1
        FROM above JOIN errors.dead_letters AS d ON d.dead_letter_id = above.ancestor
        WHERE d.replay_of IS NOT NULL AND above.replays < 100
    )
    UPDATE errors.dead_letters AS d SET
        replays = n.replays,
        state = CASE
            WHEN d.state NOT IN ('open', 'quarantined') THEN d.state
            WHEN n.replays >= %s THEN 'quarantined' ELSE 'open' END
    FROM (SELECT dead_letter_id, max(replays) AS replays FROM above GROUP BY 1) AS n
    WHERE d.dead_letter_id = n.dead_letter_id AND d.replays <> n.replays
"""
"""How many replays are behind each new failure, and behind those that it explains: the two may
arrive in either order. Who names each other in a ring (nobody of ours does) ends at 100."""

COPY_ACTIONS: Final = """
    COPY errors.actions (dead_letter_id, action, operation_id, actor, why, selection, topic,
        partition, for_group, rule, rules_sha256, tool_version, acted_at) FROM STDIN
"""

SET_STATES: Final = """
    UPDATE errors.dead_letters AS d SET
        state = CASE a.action
            WHEN 'REPLAY' THEN 'replayed' WHEN 'FIX' THEN 'fixed' WHEN 'DISCARD' THEN 'discarded'
            WHEN 'RESTORE' THEN CASE WHEN d.replays >= %s THEN 'quarantined' ELSE 'open' END
            ELSE d.state END,
        state_changed_at = a.acted_at,
        operation_id = a.operation_id
    FROM (
        SELECT DISTINCT ON (dead_letter_id) dead_letter_id, action, acted_at, operation_id
        FROM errors.actions WHERE dead_letter_id = ANY (%s::text[])
        ORDER BY dead_letter_id, sequence DESC
    ) AS a
    WHERE d.dead_letter_id = a.dead_letter_id
"""
"""The newest action decides, whichever arrived first, it or its letter."""

UNRESOLVED: Final = """
    SELECT reason, coalesce(topic, 'file'), state, count(*)
    FROM errors.dead_letters WHERE state IN ('open', 'quarantined') GROUP BY 1, 2, 3
"""

OLDEST_UNRESOLVED: Final = """
    SELECT min(first_failed_at) FROM errors.dead_letters WHERE state IN ('open', 'quarantined')
"""
