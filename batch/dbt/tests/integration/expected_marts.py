"""What the marts must say, counted from the events and the definitions, without SQL."""

from __future__ import annotations

import csv
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

from raw_days import Dimensions, World

Key = tuple[Any, ...]
Figures = dict[str, Any]

Z = 1.959964


def counts(world: World, key: Callable[[date, int, Dimensions], Key]) -> dict[Key, Counter[str]]:
    """Sums by a key of the day, the hour and the dimensions under which something is reported."""
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for raw in world.values():
        for shown in raw.impressions:
            of = found[key(shown.time.date(), shown.time.hour, shown.of)]
            of["impressions"] += 1
            of["labelled"] += shown.labelled
            of["cost"] += shown.cost_micros
        for click in raw.clicks:
            of = found[key(click.time.date(), click.time.hour, click.of)]
            of["clicks"] += 1
            of["cost"] += click.cost_micros
            assert click.impression_time is not None
            at = click.impression_time
            found[key(at.date(), at.hour, click.of)]["attributed"] += 1
        for bought in raw.conversions:
            of = found[key(bought.time.date(), bought.time.hour, bought.of)]
            of["conversions"] += 1
            of["revenue"] += bought.revenue_micros
    return found


def by_campaign(world: World, names: Path) -> dict[Key, Figures]:
    with names.open(newline="") as file:
        named = {row["campaign_id"]: row["campaign_name"] for row in csv.DictReader(file)}
    found = counts(world, lambda day, _, of: (day, of.campaign_id, of.source, of.currency))
    return {
        key: {"campaign_name": named.get(key[1], f"campaign {key[1]}"), **performance(of, key[2])}
        for key, of in found.items()
    }


def by_placement(world: World) -> dict[Key, Figures]:
    found = counts(
        world,
        lambda day, _, of: (day, of.placement_type, of.placement_id, of.source, of.currency),
    )
    return {
        key: {"placement": f"{key[1].lower()}:{key[2]}", **performance(of, key[3])}
        for key, of in found.items()
    }


def by_audience(world: World) -> dict[Key, Figures]:
    found = counts(
        world,
        lambda day, _, of: (
            *(day, of.device_type, of.connection_type, of.placement_type, of.source, of.currency),
        ),
    )
    return {key: performance(of, key[4]) for key, of in found.items()}


def performance(of: Counter[str], source: str) -> Figures:
    cost, revenue = Fraction(of["cost"], 10**6), Fraction(of["revenue"], 10**6)
    return {
        "is_money_synthetic": source in ("AVAZU", "GENERATED"),
        "impressions": of["impressions"],
        "labelled_impressions": of["labelled"],
        "clicks": of["clicks"],
        "attributed_clicks": of["attributed"],
        "conversions": of["conversions"],
        "cost": divided(cost, 1, 6),
        "revenue": divided(revenue, 1, 6),
        "ctr": divided(of["clicks"], of["impressions"], 9),
        "attributed_ctr": divided(of["attributed"], of["labelled"], 9),
        "cpc": divided(cost, of["clicks"], 6),
        "cpm": divided(cost * 1000, of["impressions"], 6),
        "cpa": divided(cost, of["conversions"], 6),
        "roas": divided(revenue, cost, 9),
    }


def divided(part: Fraction | int, whole: Fraction | int, places: int) -> Decimal | None:
    """The quotient, rounded half away from zero; None where there is nothing to divide by."""
    if whole == 0:
        return None
    scaled = Fraction(part) / Fraction(whole) * 10**places
    rounded = int(scaled + Fraction(1, 2))  # Nothing here is negative.
    return Decimal(rounded).scaleb(-places)


def split(of: Dimensions) -> Iterator[tuple[str, str]]:
    """Dimensions and values as the stream has them."""
    yield "total", "all"
    yield "campaign", of.campaign_id
    yield "placement", f"{of.placement_type.lower()}:{of.placement_id}"
    yield "banner_pos", str(of.banner_pos)
    yield "device_type", str(of.device_type)


def by_hour(world: World) -> dict[Key, Figures]:
    hourly: dict[Key, Counter[str]] = defaultdict(Counter)
    for (day, hour, of), counted in counts(world, lambda *key: key).items():
        for dimension, value in split(of):
            hourly[(day, hour, dimension, value)].update(counted)
    series: dict[Key, dict[date, Counter[str]]] = defaultdict(dict)
    for (day, *rest), counted in hourly.items():
        series[tuple(rest)][day] = counted
    return {
        (day, *rest): {
            **_hour(counted),
            **_baseline(
                [
                    before
                    for past, before in series[tuple(rest)].items()
                    if day - timedelta(days=28) <= past < day
                ]
            ),
        }
        for (day, *rest), counted in hourly.items()
    }


def _hour(of: Counter[str]) -> Figures:
    low, high = wilson(of["clicks"], of["impressions"])
    return {
        "impressions": of["impressions"],
        "labelled_impressions": of["labelled"],
        "clicks": of["clicks"],
        "attributed_clicks": of["attributed"],
        "ctr": divided(of["clicks"], of["impressions"], 9),
        "ctr_low": low,
        "ctr_high": high,
        "attributed_ctr": divided(of["attributed"], of["labelled"], 9),
    }


def _baseline(before: list[Counter[str]]) -> Figures:
    shown, clicked = sum(of["impressions"] for of in before), sum(of["clicks"] for of in before)
    low, high = wilson(clicked, shown)
    daily = [of["clicks"] / of["impressions"] for of in before if of["impressions"]]
    return {
        "baseline_days": len(before),
        "baseline_impressions": shown,
        "baseline_clicks": clicked,
        "baseline_ctr": divided(clicked, shown, 9),
        "baseline_low": low,
        "baseline_high": high,
        "baseline_stddev": statistics.stdev(daily) if len(daily) > 1 else None,
    }


def wilson(successes: int, trials: int) -> tuple[float | None, float | None]:
    """Wilson's interval, as in the textbook."""
    if trials == 0 or successes > trials:
        return None, None
    share = successes / trials
    middle = share + Z**2 / (2 * trials)
    reach = Z * sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    scale = 1 + Z**2 / trials
    return (middle - reach) / scale, (middle + reach) / scale
