"""What a run would emit, without Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from roas_producer.pipeline import Pipeline, Plan
from roas_producer.rows import BadRow
from roas_producer.sequence import BlockEnd, Kind, sequence

_EXAMPLES = 5


@dataclass(slots=True)
class Forecast:
    """What a run would emit. Times are event times as they would be sent, ms since the epoch."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    dead_letters: int = 0
    first_event_time: int | None = None
    last_event_time: int | None = None
    cost_micros: int = 0
    cost_micros_by_pricing_model: dict[str, int] = field(default_factory=dict)
    revenue_micros: int = 0
    dead_letters_by_reason: dict[str, int] = field(default_factory=dict)
    dead_letter_examples: list[str] = field(default_factory=list)


def forecast(
    plan: Plan, now_ms: Callable[[], int], progressed: Callable[[Counter[Kind], int], None]
) -> Forecast:
    """Go through the whole sequence and count.

    Args:
        plan: what would be emitted.
        now_ms: the wall clock.
        progressed: called after each hour with the counts so far and the event clock.
    """
    pipeline = Pipeline(plan, now_ms)
    result, kinds = Forecast(), Counter[Kind]()
    reasons, costs = Counter[str](), Counter[str]()
    for step in sequence(pipeline.blocks(), plan.economics, plan.selection):
        if isinstance(step, BlockEnd):
            progressed(kinds, pipeline.sent_time(step.clock_ms))
            continue
        kinds[step.kind] += 1
        if isinstance(step.row, BadRow):
            reasons[step.row.reason.value] += 1
            if len(result.dead_letter_examples) < _EXAMPLES:
                example = f"line {step.row.line}: {step.row.reason.value}: {step.row.detail}"
                result.dead_letter_examples.append(example)
            continue
        sent = pipeline.sent_time(step.time_ms)
        if result.first_event_time is None:
            result.first_event_time = sent
        result.last_event_time = sent
        if step.kind is Kind.CONVERSION:
            result.revenue_micros += step.micros
        else:
            result.cost_micros += step.micros
            costs[step.pricing_model] += step.micros
    result.impressions = kinds[Kind.IMPRESSION]
    result.clicks = kinds[Kind.CLICK]
    result.conversions = kinds[Kind.CONVERSION]
    result.dead_letters = kinds[Kind.BAD_ROW]
    result.cost_micros_by_pricing_model = dict(sorted(costs.items()))
    result.dead_letters_by_reason = dict(sorted(reasons.items()))
    return result
