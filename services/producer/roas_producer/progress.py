"""Where a run stands, and what a restart has to leave out.

The progress record is written in the same Kafka transaction as the events it speaks of. A
transaction only ever ends between two different event times, so ``emitted_through`` alone says
where the sequence goes on: everything up to and including that millisecond has been sent, nothing
behind it has. ``events_emitted`` counts every step of the sequence, file dead letters included.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from roas_contracts.events import ProducerProgress
from roas_producer.rows import HOUR_MS
from roas_producer.sequence import Kind
from roas_producer.timeline import Timeline

NOTHING_EMITTED = -1
"""``emitted_through`` before the first event."""


def fresh(input_key: str, input_name: str, options: str) -> ProducerProgress:
    """Progress of a run that has not begun."""
    return ProducerProgress(
        input=input_key,
        input_name=input_name,
        options=options,
        rows_read=0,
        impressions=0,
        clicks=0,
        conversions=0,
        dead_letters=0,
        emitted_through=NOTHING_EMITTED,
        events_emitted=0,
        rebase_ms=0,
        finished=False,
        updated_at=0,
    )


def advanced(
    progress: ProducerProgress,
    kinds: Counter[Kind],
    emitted_through: int,
    row_kinds: frozenset[Kind],
) -> ProducerProgress:
    """Progress after further steps of the sequence.

    Args:
        progress: before.
        kinds: how many steps of each kind.
        emitted_through: event time of the last of them.
        row_kinds: the kinds of which each step is one row of the input.
    """
    rows = sum(kinds[kind] for kind in row_kinds)
    return replace(
        progress,
        rows_read=progress.rows_read + rows,
        impressions=progress.impressions + kinds[Kind.IMPRESSION],
        clicks=progress.clicks + kinds[Kind.CLICK],
        conversions=progress.conversions + kinds[Kind.CONVERSION],
        dead_letters=progress.dead_letters + kinds[Kind.BAD_ROW],
        events_emitted=progress.events_emitted + kinds.total(),
        emitted_through=emitted_through,
    )


def first_hour_needed(emitted_through: int, timeline: Timeline, max_delay_ms: int) -> int:
    """Hours that start before this (input time, ms) have nothing left to send: not their rows,
    and not a click or conversion that was still to come."""
    return timeline.own_sent_by(emitted_through) - max_delay_ms - HOUR_MS + 1
