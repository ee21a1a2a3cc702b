"""What publishing a file would do: the mapping on its first rows, and what would be refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from roas_producer.display import utc
from roas_producer.publish.making import AdEvent
from roas_producer.publish.plan import PublishPlan
from roas_producer.rows import BadRow

_SAMPLES: Final = 3
_EXAMPLES: Final = 5
_TOLD_EVERY: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: the fields that its cells became, and the cells by field."""

    row: int
    fields: dict[str, Any]
    cells: dict[str, str]


@dataclass(slots=True)
class Preview:
    """What would be sent."""

    events: int = 0
    dead_letters: int = 0
    out_of_order_ms: int = 0
    """How far the furthest row is behind the newest before it."""
    first_event_time: int | None = None
    last_event_time: int | None = None
    cost_micros: int = 0
    revenue_micros: int = 0
    unused_columns: list[str] = field(default_factory=list)
    dead_letters_by_reason: dict[str, int] = field(default_factory=dict)
    dead_letter_examples: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def preview(plan: PublishPlan, now_ms: int, progressed: Callable[[int, int], None]) -> Preview:
    """Go through the whole file and count; nothing is sent, no Kafka is needed.

    Args:
        plan: what would be emitted.
        now_ms: the wall clock.
        progressed: told of rows and the event clock from time to time.

    Raises:
        InputError: the file is damaged.
    """
    reader, maker, result = plan.fresh_reader(), plan.maker(now_ms), Preview()
    reasons, newest = Counter[str](), 0
    used = set(plan.mapping.columns)
    result.unused_columns = [name for name in reader.columns or [] if name not in used]
    for count, row in enumerate(reader.rows()):
        if count % _TOLD_EVERY == 0:
            progressed(count, newest)
        made = maker.make(row)
        if isinstance(made, BadRow):
            reasons[made.reason.value] += 1
            if len(result.dead_letter_examples) < _EXAMPLES:
                result.dead_letter_examples.append(
                    f"row {made.line}: {made.reason.value}: {made.detail}"
                )
            continue
        if len(result.samples) < _SAMPLES and not isinstance(row.cells, Exception):
            cells = {
                one.field.name: f"{one.cell.column} = {str(row.cells.get(one.cell.column))!r:.60}"
                for one in plan.mapping.fields
                if one.cell.column is not None
            }
            result.samples.append(Sample(row.number, _fields(made), cells))
        newest = max(newest, made.event_time)
        _count(result, made, newest)
    result.dead_letters = reasons.total()
    result.dead_letters_by_reason = dict(sorted(reasons.items()))
    return result


def _count(result: Preview, event: AdEvent, newest: int) -> None:
    result.events += 1
    result.out_of_order_ms = max(result.out_of_order_ms, newest - event.event_time)
    first = result.first_event_time
    result.first_event_time = event.event_time if first is None else min(first, event.event_time)
    result.last_event_time = newest
    result.cost_micros += getattr(event, "cost_micros", 0)
    result.revenue_micros += getattr(event, "revenue_micros", 0)


def _fields(event: AdEvent) -> dict[str, Any]:
    return {
        name: utc(value) if name.endswith("_time") and value is not None else value
        for name in type(event).__dataclass_fields__
        for value in (getattr(event, name),)
    }
