"""The one rule table: what makes a record poison.

The rules are checked in this order and the first that fails gives the reason. The Java decoder in
services/ctr-stream follows the same table; contracts/corpus holds both to it.

 1. NULL_VALUE: the value is null, and the record is no heartbeat: header `roas-heartbeat` (the
    last one counts) with 1 to 19 ASCII digits, inside the bounds of rule 8.
 2. (skipped, not poison) header `roas-for-group` (the last one counts) names another group.
 3. NOT_WIRE_FORMAT: shorter than five bytes, or the first byte is not 0.
 4. UNKNOWN_SCHEMA_ID: the registry does not know the id, although it answers and serves our own
    subject. Otherwise that is an outage and is waited out.
 5. WRONG_RECORD_TYPE: the writer's schema is no record of the topic's full name.
 6. UNDECODABLE: the body does not read under the writer's schema (`roas_contracts.avro_reading`
    says what is damage), or not as ours.
 7. TRAILING_BYTES: bytes are left behind the record.
 8. EVENT_TIME_OUT_OF_BOUNDS: a time before 2010, or more than ten minutes ahead of the wall
    clock; an impression_time before 2010 or after the event's own time.
 9. FOREIGN_CURRENCY: not the deployment's reporting currency.
10. INVALID_FIELD: an id that is empty, longer than 256 bytes of UTF-8, or with a NUL character,
    which no PostgreSQL text can hold: counted, it would be lost further down; money below 0 or
    above 10^15 micros; a cost on an event that its pricing model has free (`FREE_UNDER`), which
    would be charged twice; for metrics see `check_metric`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from roas_contracts.errors import PoisonError
from roas_contracts.events import (
    AD_CLICKS,
    AD_IMPRESSIONS,
    AdClick,
    AdConversion,
    AdImpression,
    AdMetric,
    DeadLetterReason,
    DeltaKind,
    Event,
    PricingModel,
)

EARLIEST_MS: Final = 1_262_304_000_000
"""2010-01-01T00:00:00Z: no event is older."""

MAX_AHEAD_MS: Final = 600_000
"""How far an event may be ahead of the wall clock: ten minutes of skew."""

MAX_ID_BYTES: Final = 256
"""Longest id, in bytes of UTF-8."""

MAX_MONEY_MICROS: Final = 10**15
"""Largest amount of one event: a billion units of the currency."""

MAX_METRIC_VALUE_BYTES: Final = MAX_ID_BYTES + len("unknown:")
"""Longest dimension value: an id with a placement's prefix."""

FREE_UNDER: Final[Mapping[str, PricingModel]] = MappingProxyType(
    {AD_IMPRESSIONS: PricingModel.CPC, AD_CLICKS: PricingModel.CPM}
)
"""Topic → the pricing model under which its events are free: the other topic's are charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a deployment decides about the rules.

    Args:
        group: the consumer group that reads.
        currency: the reporting currency, ISO 4217.
        earliest_ms: lower bound of every event time.
        max_ahead_ms: how far an event time may be ahead of the wall clock.
    """

    group: str
    currency: str = "USD"
    earliest_ms: int = EARLIEST_MS
    max_ahead_ms: int = MAX_AHEAD_MS

    def in_bounds(self, time_ms: int, now_ms: int) -> bool:
        """Whether an event time is believable at this wall clock (both bounds are inclusive)."""
        return self.earliest_ms <= time_ms <= now_ms + self.max_ahead_ms


def check(event: Event, rules: Rules, now_ms: int) -> None:
    """Rules 8 to 10, on a decoded event. Dead letters and progress records have none.

    Raises:
        PoisonError: the first rule that fails.
    """
    checker = _CHECKERS.get(type(event))
    if checker is not None:
        checker(event, rules, now_ms)


def check_impression(event: AdImpression, rules: Rules, now_ms: int) -> None:
    """Rules 8 to 10 for an impression; raises as `check`."""
    _check_time(event.event_time, "event_time", rules, now_ms)
    _check_currency(event.currency, rules)
    _check_id(event.event_id, "event_id")
    _check_id(event.campaign_id, "campaign_id")
    _check_id(event.placement_id, "placement_id")
    _check_money(event.cost_micros, "cost_micros")
    _check_charged(event, FREE_UNDER[AD_IMPRESSIONS])


def check_click(event: AdClick, rules: Rules, now_ms: int) -> None:
    """Rules 8 to 10 for a click; raises as `check`."""
    _check_follow_up(event, rules, now_ms)
    _check_money(event.cost_micros, "cost_micros")
    _check_charged(event, FREE_UNDER[AD_CLICKS])


def check_conversion(event: AdConversion, rules: Rules, now_ms: int) -> None:
    """Rules 8 to 10 for a conversion; raises as `check`."""
    _check_follow_up(event, rules, now_ms)
    _check_money(event.revenue_micros, "revenue_micros")


_MEASURES: Final = ("impressions", "clicks", "conversions", "cost_micros", "revenue_micros")
_MEASURES_OF: Final = attrgetter(*_MEASURES)


def check_metric(event: AdMetric, rules: Rules, now_ms: int) -> None:
    """Rules 8 to 10 for a metric delta; raises as `check`.

    Its window starts, and it was emitted, inside the bounds. The window is not empty. Dimension
    and value are not empty and not too long. The kind is one we know. Only a correction may
    take away. Sums of many events have no upper bound but the type's.
    """
    _check_time(event.window_start, "window_start", rules, now_ms)
    _check_time(event.emitted_at, "emitted_at", rules, now_ms)
    _check_currency(event.currency, rules)
    if event.window_end <= event.window_start:
        raise _invalid("window_end", "not after window_start")
    _check_id(event.dimension, "dimension")
    _check_id(event.value, "value", MAX_METRIC_VALUE_BYTES)
    if event.kind is DeltaKind.UNKNOWN:
        raise _invalid("kind", "newer than this service")
    if event.kind is not DeltaKind.CORRECTION:
        measures = _MEASURES_OF(event)
        if min(measures) < 0:
            name = next(n for n, sum_ in zip(_MEASURES, measures, strict=True) if sum_ < 0)
            raise _invalid(name, "negative without being a correction")


_CHECKERS: Final[Mapping[type[Event], Callable[..., None]]] = MappingProxyType(
    {
        AdImpression: check_impression,
        AdClick: check_click,
        AdConversion: check_conversion,
        AdMetric: check_metric,
    }
)


def _check_follow_up(event: AdClick | AdConversion, rules: Rules, now_ms: int) -> None:
    _check_time(event.event_time, "event_time", rules, now_ms)
    if not rules.earliest_ms <= event.impression_time <= event.event_time:
        raise PoisonError(
            DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS,
            f"impression_time {event.impression_time} is not between {rules.earliest_ms} and the "
            f"event_time {event.event_time}",
        )
    _check_currency(event.currency, rules)
    _check_id(event.event_id, "event_id")
    _check_id(event.impression_id, "impression_id")
    _check_id(event.campaign_id, "campaign_id")
    _check_id(event.placement_id, "placement_id")


def _check_time(time_ms: int, name: str, rules: Rules, now_ms: int) -> None:
    if not rules.in_bounds(time_ms, now_ms):
        raise PoisonError(
            DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS,
            f"{name} {time_ms} is not between {rules.earliest_ms} and {now_ms} plus "
            f"{rules.max_ahead_ms}",
        )


def _check_currency(currency: str, rules: Rules) -> None:
    if currency != rules.currency:
        raise PoisonError(
            DeadLetterReason.FOREIGN_CURRENCY,
            f"{currency!r:.40} is not the reporting currency {rules.currency!r}",
        )


def _check_id(value: str, name: str, longest: int = MAX_ID_BYTES) -> None:
    if not value:
        raise _invalid(name, "empty")
    # A character takes at most four bytes: short ids need no encoding to be measured.
    if len(value) * 4 > longest and len(value.encode()) > longest:
        raise _invalid(name, f"longer than {longest} bytes")
    if "\0" in value:
        raise _invalid(name, "has a NUL character")


def _check_money(micros: int, name: str) -> None:
    if not 0 <= micros <= MAX_MONEY_MICROS:
        raise _invalid(name, f"{micros} is not between 0 and {MAX_MONEY_MICROS}")


def _check_charged(event: AdImpression | AdClick, free_under: PricingModel) -> None:
    if event.pricing_model is free_under and event.cost_micros:
        raise _invalid(
            "cost_micros", f"{event.cost_micros} on an event that {free_under} does not charge"
        )


def _invalid(field: str, problem: str) -> PoisonError:
    return PoisonError(DeadLetterReason.INVALID_FIELD, f"{field}: {problem}")
