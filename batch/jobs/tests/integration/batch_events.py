"""Events, and everything else that a topic may hold, for the tests of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from roas_contracts.events import (
    AdClick,
    AdConversion,
    AdImpression,
    PlacementType,
    PricingModel,
    Source,
)

TUESDAY, WEDNESDAY = date(2014, 10, 21), date(2014, 10, 22)

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]] | None]
"""Key, value and headers."""


def at(day: date, second: int) -> int:
    """Milliseconds of a second of a UTC day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * 1000 + second * 1000


def impression(number: int, day: date = TUESDAY, **changes: Any) -> AdImpression:
    fields: dict[str, Any] = {
        "event_id": f"i{number}",
        "event_time": at(day, number % 86_400),
        "labelled": True,
        "source": Source.GENERATED,
        "campaign_id": str(number % 5),
        "advertiser_id": "7",
        "creative_id": "9",
        "placement_type": PlacementType.SITE if number % 2 else PlacementType.APP,
        "placement_id": f"p{number % 3}",
        "placement_domain": "tab\tand\\backslash\nü",
        "placement_category": "c\0c",
        "banner_pos": number % 2,
        "device_type": 1,
        "connection_type": 0,
        "creative_width": 320,
        "creative_height": None,
        "device_id": None,
        "device_ip": f"ip{number}",
        "device_model": "",
        "cost_micros": number,
        "currency": "USD",
        "attributes": {"C1": "10\t05", 'q"': "\\"},
        "pricing_model": PricingModel.CPM,
        **changes,
    }
    return AdImpression(**fields)


def _follow_up(number: int, day: date) -> dict[str, Any]:
    return {
        "impression_id": f"i{number}",
        "event_time": at(day, number % 86_000 + 5),
        "impression_time": at(day, number % 86_000),
        "source": Source.GENERATED,
        "campaign_id": str(number % 5),
        "advertiser_id": "7",
        "creative_id": "9",
        "placement_type": PlacementType.SITE,
        "placement_id": "p",
        "placement_domain": "d",
        "placement_category": "c",
        "banner_pos": 0,
        "device_type": 1,
        "connection_type": 0,
        "currency": "USD",
    }


def click(number: int, day: date = TUESDAY) -> AdClick:
    return AdClick(
        event_id=f"c{number}",
        cost_micros=0,
        pricing_model=PricingModel.CPM,
        **_follow_up(number, day),
    )


def conversion(number: int, day: date = TUESDAY) -> AdConversion:
    return AdConversion(
        event_id=f"v{number}",
        click_id=f"c{number}",
        click_time=2**62 if number % 2 else at(day, number % 86_000),
        conversion_type="purchase",
        revenue_micros=5_000_000,
        **_follow_up(number, day),
    )


def impressions(numbers: Sequence[int], day: date = TUESDAY) -> list[AdImpression]:
    return [impression(number, day) for number in numbers]
