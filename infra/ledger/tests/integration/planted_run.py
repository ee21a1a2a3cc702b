"""What the planted run consists of: its events, and what the stream has to say about them.

Windows are counted here with a dict per dimension and nothing of the ledger's code, so that what
the ledger finds right was made by someone else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from roas_contracts.events import (
    AdClick,
    AdConversion,
    AdImpression,
    AdMetric,
    DeltaKind,
    Event,
    PlacementType,
    Source,
)
from roas_contracts.redis_layout import WindowSize

T0 = 1_413_849_600_000
"""2014-10-21T00:00:00Z, in milliseconds."""

IMPRESSIONS, CLICKS, CONVERSIONS = "ad-impressions", "ad-clicks", "ad-conversions"
EVENT_TOPICS = (IMPRESSIONS, CLICKS, CONVERSIONS)
TOPIC_OF = {AdImpression: IMPRESSIONS, AdClick: CLICKS, AdConversion: CONVERSIONS}
METRIC_TOPICS = {WindowSize.ONE_MINUTE: "ad-metrics-1m", WindowSize.FIVE_MINUTES: "ad-metrics-5m"}
END_CLOCK = T0 + 15 * 60_000 + 60_000

Key = tuple[WindowSize, int, str, str]
Sums = list[int]


def impression(number: int, at_ms: int, campaign: str = "c1", site: str = "s1") -> AdImpression:
    return AdImpression(
        event_id=str(10**19 + number),
        event_time=at_ms,
        labelled=True,
        source=Source.GENERATED,
        campaign_id=campaign,
        advertiser_id="a1",
        creative_id="k1",
        placement_type=PlacementType.SITE,
        placement_id=site,
        placement_domain="d",
        placement_category="g",
        banner_pos=number % 2,
        device_type=1,
        connection_type=0,
        cost_micros=1_000 + number,
        currency="USD",
    )


def click(of: AdImpression, delay_ms: int) -> AdClick:
    return AdClick(
        event_id=f"{of.event_id}-c",
        impression_id=of.event_id,
        event_time=of.event_time + delay_ms,
        impression_time=of.event_time,
        source=of.source,
        campaign_id=of.campaign_id,
        advertiser_id=of.advertiser_id,
        creative_id=of.creative_id,
        placement_type=of.placement_type,
        placement_id=of.placement_id,
        placement_domain=of.placement_domain,
        placement_category=of.placement_category,
        banner_pos=of.banner_pos,
        device_type=of.device_type,
        connection_type=of.connection_type,
        cost_micros=50_000,
        currency="USD",
    )


def conversion(of: AdClick, delay_ms: int) -> AdConversion:
    return AdConversion(
        event_id=f"{of.impression_id}-v",
        impression_id=of.impression_id,
        event_time=of.event_time + delay_ms,
        impression_time=of.impression_time,
        click_id=of.event_id,
        click_time=of.event_time,
        source=of.source,
        campaign_id=of.campaign_id,
        advertiser_id=of.advertiser_id,
        creative_id=of.creative_id,
        placement_type=of.placement_type,
        placement_id=of.placement_id,
        placement_domain=of.placement_domain,
        placement_category=of.placement_category,
        banner_pos=of.banner_pos,
        device_type=of.device_type,
        connection_type=of.connection_type,
        conversion_type="purchase",
        revenue_micros=9_000_000,
        currency="USD",
    )


def one_run() -> list[Event]:
    """60 impressions in the first 15 minutes, every fourth clicked, every second click bought."""
    events: list[Event] = []
    for number in range(60):
        shown = impression(number, T0 + number * 14_000, f"c{number % 3}", f"s{number % 5}")
        events.append(shown)
        if number % 4 == 0 and number < 50:
            clicked = click(shown, 20_000)
            events.append(clicked)
            if number % 8 == 0:
                events.append(conversion(clicked, 30_000))
    return events


def counted(events: Iterable[Event]) -> dict[Key, Sums]:
    """What the stream has to say about these events."""
    sums: dict[Key, Sums] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for event in events:
        assert isinstance(event, AdImpression | AdClick | AdConversion)
        parts = [
            isinstance(event, AdImpression),
            isinstance(event, AdClick),
            isinstance(event, AdConversion),
            0 if isinstance(event, AdConversion) else event.cost_micros,
            event.revenue_micros if isinstance(event, AdConversion) else 0,
        ]
        for size in WindowSize:
            start = event.event_time // size.millis * size.millis
            for dimension, value in (
                ("total", "all"),
                ("campaign", event.campaign_id),
                ("placement", f"site:{event.placement_id}"),
                ("banner_pos", str(event.banner_pos)),
                ("device_type", str(event.device_type)),
            ):
                cell = sums[(size, start, dimension, value)]
                for index, part in enumerate(parts):
                    cell[index] += int(part)
    return dict(sums)


def deltas(sums: dict[Key, Sums], kind: DeltaKind, now_ms: int) -> list[tuple[str, AdMetric]]:
    """The stream's records, each with its topic."""
    return [
        (
            METRIC_TOPICS[size],
            AdMetric(
                dimension=dimension,
                value=value,
                window_start=start,
                window_end=start + size.millis,
                kind=kind,
                impressions=cell[0],
                clicks=cell[1],
                conversions=cell[2],
                cost_micros=cell[3],
                revenue_micros=cell[4],
                currency="USD",
                emitted_at=now_ms,
            ),
        )
        for (size, start, dimension, value), cell in sorted(sums.items())
    ]
