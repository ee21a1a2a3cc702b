"""The SQL of the store, built once from the columns that `deltas` names."""

from __future__ import annotations

from functools import cache
from typing import Final

from roas_cache_writer.deltas import KINDS, MEASURES
from roas_contracts.events import DeltaKind
from roas_contracts.redis_layout import WindowSize

TABLE: Final = {
    WindowSize.ONE_MINUTE: "realtime.metrics_1m",
    WindowSize.FIVE_MINUTES: "realtime.metrics_5m",
}

_KEY: Final = ("window_start", "dimension", "value", "currency")


def _columns(kind: DeltaKind) -> tuple[str, ...]:
    """The additive columns of a kind: its measures, then its number of deltas."""
    prefix = kind.lower()
    return (*(f"{prefix}_{measure}" for measure in MEASURES), f"{prefix}_deltas")


def _time(milliseconds: str) -> str:
    return f"timestamptz 'epoch' + {milliseconds} * interval '1 millisecond'"


def _milliseconds(time: str) -> str:
    # Not extract(): its numeric arithmetic is a tenth of all that a row costs. The nearest
    # integer of the double is the exact one, until far behind the year 200000.
    return f"(date_part('epoch', {time}) * 1000)::bigint"


RESULT: Final = ", ".join(
    (
        _milliseconds("m.window_start"),
        "m.dimension",
        "m.value",
        *(" + ".join(f"m.{kind.lower()}_{measure}" for kind in KINDS) for measure in MEASURES),
        *(f"m.late_{measure}" for measure in MEASURES),
        *(f"m.correction_{measure}" for measure in MEASURES),
        "m.revision",
        _milliseconds("m.first_emitted_at"),
        _milliseconds("m.last_emitted_at"),
    )
)
"""The columns of a `stored_rows.StoredRow`."""


@cache
def upsert(size: WindowSize, kinds: tuple[DeltaKind, ...]) -> str:
    """Adds a batch's sums of some kinds to the rows; returns the absolute totals.

    Parameters: the currency, then an array for each of window_start, first and last emitted_at
    (epoch milliseconds), dimension, value, and each kind's measures and number of deltas. Ordered
    by key, so that two writers lock rows in one order.
    """
    times = ("window_start", "first_emitted_at", "last_emitted_at")
    texts = ("dimension", "value")
    added = [column for kind in kinds for column in _columns(kind)]
    others = [column for kind in KINDS if kind not in kinds for column in _columns(kind)]
    names = (*times, *texts, *added)
    arrays = ", ".join(f"%s::{'text' if name in texts else 'bigint'}[]" for name in names)
    selected = (
        *(_time(f"d.{name}") for name in times),
        *(f"d.{name}" for name in (*texts, *added)),
        *("0" for _ in others),
    )
    return f"""
        INSERT INTO {TABLE[size]} AS m ({", ".join(("currency", *names, *others, "revision"))})
        SELECT %s, {", ".join(selected)}, 1
        FROM unnest({arrays}) AS d ({", ".join(names)})
        ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET
            {", ".join(f"{c} = m.{c} + excluded.{c}" for c in added)},
            first_emitted_at = least(m.first_emitted_at, excluded.first_emitted_at),
            last_emitted_at = greatest(m.last_emitted_at, excluded.last_emitted_at),
            revision = m.revision + 1,
            updated_at = now()
        RETURNING {RESULT}
    """


def windows(size: WindowSize) -> str:
    """Rows of some windows. Parameters: window starts (timestamps array), currency.

    The array is compared as it is: only so does PostgreSQL leave other days' partitions alone.
    """
    return f"""
        SELECT {RESULT} FROM {TABLE[size]} AS m
        WHERE m.window_start = ANY (%s::timestamptz[]) AND m.currency = %s
    """


def window_starts(size: WindowSize) -> str:
    """Distinct window starts from one on. Parameter: epoch milliseconds."""
    return f"""
        SELECT DISTINCT {_milliseconds("window_start")} FROM {TABLE[size]}
        WHERE window_start >= {_time("%s::bigint")} ORDER BY 1
    """


ENSURE_PARTITIONS: Final = """
    SELECT realtime.ensure_day_partition(%s, date '1970-01-01' + day)
    FROM unnest(%s::integer[]) AS day
"""

FRESHNESS_UPSERT: Final = f"""
    INSERT INTO realtime.freshness AS f (
        window_size, newest_window_start, newest_complete_window_start, newest_emitted_at)
    VALUES (%s, {_time("%s::bigint")}, {_time("%s::bigint")}, {_time("%s::bigint")})
    ON CONFLICT (window_size) DO UPDATE SET
        newest_window_start = greatest(f.newest_window_start, excluded.newest_window_start),
        newest_complete_window_start = greatest(
            f.newest_complete_window_start, excluded.newest_complete_window_start),
        newest_emitted_at = greatest(f.newest_emitted_at, excluded.newest_emitted_at),
        updated_at = now()
"""

FRESHNESS: Final = f"""
    SELECT {_milliseconds("newest_window_start")},
        {_milliseconds("newest_complete_window_start")},
        {_milliseconds("newest_emitted_at")},
        {_milliseconds("updated_at")}
    FROM realtime.freshness WHERE window_size = %s
"""

ADVANCE: Final = """
    UPDATE realtime.consumed_offsets AS o SET
        next_offset = d.next_offset,
        records_applied = o.records_applied + d.applied,
        records_dead_lettered = o.records_dead_lettered + d.dead_lettered,
        records_skipped = o.records_skipped + d.skipped,
        updated_at = now()
    FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::bigint[], %s::bigint[])
        AS d (topic, partition, expected, next_offset, applied, dead_lettered, skipped)
    WHERE o.consumer_group = %s AND o.topic = d.topic AND o.partition = d.partition
        AND o.next_offset = d.expected AND o.writer_epoch = %s
"""
"""Compare and set: changes a row only where offset and epoch are what this writer expects."""

NEXT_EPOCH: Final = "SELECT nextval('realtime.writer_epoch')"

OFFSETS: Final = """
    SELECT topic, partition, next_offset, cluster_id, topic_id, writer_epoch
    FROM realtime.consumed_offsets WHERE consumer_group = %s
    ORDER BY topic, partition
"""

CLAIM: Final = """
    UPDATE realtime.consumed_offsets SET writer_epoch = %s
    WHERE consumer_group = %s AND writer_epoch < %s
"""

ADD_PARTITION: Final = """
    INSERT INTO realtime.consumed_offsets (
        consumer_group, topic, partition, next_offset, cluster_id, topic_id, writer_epoch)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""

REBIND: Final = """
    DELETE FROM realtime.consumed_offsets WHERE consumer_group = %s AND topic = %s
"""
