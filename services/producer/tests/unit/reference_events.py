"""From a step of the sequence to the event that the contracts define."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from roas_contracts.events import AdClick, AdConversion, AdImpression, PlacementType, Source
from roas_producer.rows import NO_DEVICE, NO_SITE, AdRow
from roas_producer.sequence import Kind, Occurrence

AdEvent: TypeAlias = AdImpression | AdClick | AdConversion

CLICK_SUFFIX = "-c"
"""A click's id is its impression's id and this."""

CONVERSION_SUFFIX = "-v"
"""A conversion's id is its impression's id and this."""


@dataclass(frozen=True, slots=True)
class EventBuilder:
    """Builds events of one run.

    Args:
        source: where the rows come from.
        currency: ISO 4217 code of every amount.
        conversion_type: what a conversion is called.
        sent_time: from the input's time to the event time that is sent.
    """

    source: Source
    currency: str
    conversion_type: str
    sent_time: Callable[[int], int]

    def build(self, occurrence: Occurrence, row: AdRow) -> AdEvent:
        """The event of an impression, click or conversion; ``row`` is the occurrence's row."""
        if occurrence.kind is Kind.IMPRESSION:
            return self._impression(occurrence, row)
        if occurrence.kind is Kind.CLICK:
            return self._click(occurrence, row)
        return self._conversion(occurrence, row)

    def _impression(self, occurrence: Occurrence, row: AdRow) -> AdImpression:
        in_app = row.site_id == NO_SITE
        return AdImpression(
            event_id=row.id,
            event_time=self.sent_time(occurrence.time_ms),
            labelled=row.click is not None,
            source=self.source,
            campaign_id=row.C17,
            advertiser_id=row.C21,
            creative_id=row.C14,
            placement_type=PlacementType.APP if in_app else PlacementType.SITE,
            placement_id=row.app_id if in_app else row.site_id,
            placement_domain=row.app_domain if in_app else row.site_domain,
            placement_category=row.app_category if in_app else row.site_category,
            banner_pos=row.banner_pos,
            device_type=row.device_type,
            connection_type=row.device_conn_type,
            creative_width=row.C15,
            creative_height=row.C16,
            device_id=None if row.device_id == NO_DEVICE else row.device_id,
            device_ip=row.device_ip,
            device_model=row.device_model,
            cost_micros=occurrence.micros,
            currency=self.currency,
            attributes={"C1": row.C1, "C18": row.C18, "C19": row.C19, "C20": row.C20},
            pricing_model=occurrence.pricing_model,
        )

    def _click(self, occurrence: Occurrence, row: AdRow) -> AdClick:
        in_app = row.site_id == NO_SITE
        return AdClick(
            event_id=row.id + CLICK_SUFFIX,
            impression_id=row.id,
            event_time=self.sent_time(occurrence.time_ms),
            impression_time=self.sent_time(occurrence.impression_ms),
            source=self.source,
            campaign_id=row.C17,
            advertiser_id=row.C21,
            creative_id=row.C14,
            placement_type=PlacementType.APP if in_app else PlacementType.SITE,
            placement_id=row.app_id if in_app else row.site_id,
            placement_domain=row.app_domain if in_app else row.site_domain,
            placement_category=row.app_category if in_app else row.site_category,
            banner_pos=row.banner_pos,
            device_type=row.device_type,
            connection_type=row.device_conn_type,
            cost_micros=occurrence.micros,
            currency=self.currency,
            pricing_model=occurrence.pricing_model,
        )

    def _conversion(self, occurrence: Occurrence, row: AdRow) -> AdConversion:
        in_app = row.site_id == NO_SITE
        click_ms = occurrence.click_ms
        return AdConversion(
            event_id=row.id + CONVERSION_SUFFIX,
            impression_id=row.id,
            event_time=self.sent_time(occurrence.time_ms),
            impression_time=self.sent_time(occurrence.impression_ms),
            click_id=None if click_ms is None else row.id + CLICK_SUFFIX,
            click_time=None if click_ms is None else self.sent_time(click_ms),
            source=self.source,
            campaign_id=row.C17,
            advertiser_id=row.C21,
            creative_id=row.C14,
            placement_type=PlacementType.APP if in_app else PlacementType.SITE,
            placement_id=row.app_id if in_app else row.site_id,
            placement_domain=row.app_domain if in_app else row.site_domain,
            placement_category=row.app_category if in_app else row.site_category,
            banner_pos=row.banner_pos,
            device_type=row.device_type,
            connection_type=row.device_conn_type,
            conversion_type=self.conversion_type,
            revenue_micros=occurrence.micros,
            currency=self.currency,
        )
