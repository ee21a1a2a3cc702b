"""The deterministic sequence: impressions, clicks, conversions and bad rows in event-time order.

What comes out is a function of the rows and the economics model alone: event *k* is the same in
every run, on every machine, at every speed. A restart therefore builds it again and leaves out
what was already sent.

Order is by (event time, ordinal of the row, kind). At any moment only the clicks and conversions
that are still to come are held: at most those of the longest delay.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from roas_contracts.events import PricingModel
from roas_producer.clicks import MAX_DELAY_MS as MAX_CLICK_DELAY_MS
from roas_producer.clicks import click_delay_ms
from roas_producer.draws import WORDS, converts_word, draws
from roas_producer.economics import Economics
from roas_producer.event_time import SpreadTimes
from roas_producer.rows import HOUR_MS, AdRow, BadRow, HourBlock
from roas_producer.sampling import raw_word


class Kind(IntEnum):
    """What happened; the value is the last tie-break of the order."""

    BAD_ROW = 0
    IMPRESSION = 1
    CLICK = 2
    CONVERSION = 3


class Occurrence(NamedTuple):
    """One step of the sequence. The first three fields are unique and are its order."""

    time_ms: int
    """Event time, in the input's own time."""
    ordinal: int
    """Number of the row it comes from, in the order of the input. Bad rows are numbered by
    themselves and come first: only so does the order not depend on what was read before."""
    kind: Kind
    row: AdRow | BadRow
    impression_ms: int
    click_ms: int | None
    """When the click happened; None for a view-through conversion."""
    micros: int
    """Cost of an impression or click, revenue of a conversion."""
    pricing_model: PricingModel


_FIRST_BAD = -(1 << 62)


class BlockEnd(NamedTuple):
    """Everything before ``clock_ms`` has come out; nothing before it will follow."""

    clock_ms: int


Step: TypeAlias = Occurrence | BlockEnd


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are taken. Event times do not depend on it: they come from the whole hour."""

    sample_below: int = WORDS
    """Rows whose sample word is below this."""
    limit: int | None = None
    """At most so many rows, bad ones included, in event-time order."""


ALL_ROWS = Selection()


def max_delay_ms(economics: Economics) -> int:
    """No event comes later than this after its impression."""
    return MAX_CLICK_DELAY_MS + economics.max_delay_ms


def sequence(
    blocks: Iterable[HourBlock],
    economics: Economics,
    selection: Selection = ALL_ROWS,
) -> Iterator[Step]:
    """Merge rows and what follows from them into one ordered stream.

    Args:
        blocks: in rising hours; each is used up before the next is asked for.
        economics: decides cost, conversions and revenue.
        selection: which rows are taken.
    """
    pending: list[Occurrence] = []
    ordinal, bad_ordinal = 0, _FIRST_BAD
    left = selection.limit

    def consequences(shown: Occurrence, row: AdRow, time_ms: int) -> None:
        """Put the click and the conversion that follow from an impression on the heap."""
        terms = economics.terms(row.C17)
        dice = draws(row.id)
        click_ms: int | None = None
        converts_below = terms.converts_after_view_below
        if row.click:
            click_ms = time_ms + click_delay_ms(dice.click_delay)
            converts_below = terms.converts_after_click_below
            heapq.heappush(
                pending,
                Occurrence(
                    click_ms,
                    shown.ordinal,
                    Kind.CLICK,
                    row,
                    time_ms,
                    click_ms,
                    terms.click_cost_micros,
                    terms.pricing_model,
                ),
            )
        if dice.converts < converts_below:
            base_ms = time_ms if click_ms is None else click_ms
            heapq.heappush(
                pending,
                Occurrence(
                    base_ms + economics.conversion_delay_ms(dice),
                    shown.ordinal,
                    Kind.CONVERSION,
                    row,
                    time_ms,
                    click_ms,
                    economics.order_value_micros(terms, dice),
                    terms.pricing_model,
                ),
            )

    for block in blocks:
        arrivals = _arrivals(block, economics, selection.sample_below, ordinal, bad_ordinal)
        for arrival in arrivals:
            while pending and pending[0] < arrival:
                yield heapq.heappop(pending)
            if left is not None:
                if left == 0:
                    break
                left -= 1
            yield arrival
            row = arrival.row
            if isinstance(row, AdRow) and row.click is not None:
                view_below = economics.terms(row.C17).converts_after_view_below
                if row.click or converts_word(row.id) < view_below:
                    consequences(arrival, row, arrival.time_ms)
        if left == 0:
            break
        ordinal += len(block.rows)
        bad_ordinal += len(block.bad)
        clock_ms = block.start_ms + HOUR_MS
        while pending and pending[0].time_ms < clock_ms:
            yield heapq.heappop(pending)
        yield BlockEnd(clock_ms)
    while pending:
        yield heapq.heappop(pending)


def _arrivals(
    block: HourBlock, economics: Economics, sample_below: int, ordinal: int, bad_ordinal: int
) -> Iterator[Occurrence]:
    """The block's own rows in event-time order, good and bad, sampled."""
    good = _impressions(block, economics, sample_below, ordinal)
    if not len(block.bad):
        return good
    return heapq.merge(good, _bad_rows(block, sample_below, bad_ordinal))


def _impressions(
    block: HourBlock, economics: Economics, sample_below: int, ordinal: int
) -> Iterator[Occurrence]:
    sampled = sample_below < WORDS
    times = block.times or SpreadTimes(block.start_ms, len(block.rows), ())
    for index, (row, time_ms) in enumerate(zip(block.rows, times.good(), strict=True)):
        if sampled and draws(row.id).sample >= sample_below:
            continue
        terms = economics.terms(row.C17)
        cost, model = terms.impression_cost_micros, terms.pricing_model
        yield Occurrence(time_ms, ordinal + index, Kind.IMPRESSION, row, time_ms, None, cost, model)


def _bad_rows(block: HourBlock, sample_below: int, ordinal: int) -> Iterator[Occurrence]:
    """Bad rows, at the time that they would have if they were good."""
    assert block.times is not None
    unknown = PricingModel.UNKNOWN
    for index, (row, time_ms) in enumerate(zip(block.bad, block.times.bad(), strict=True)):
        if sample_below < WORDS and raw_word(row.raw) >= sample_below:
            continue
        row = row._replace(time_ms=time_ms)
        yield Occurrence(time_ms, ordinal + index, Kind.BAD_ROW, row, time_ms, None, 0, unknown)
