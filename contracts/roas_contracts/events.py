"""The records of our topics as Python types.

Field names, order and types are those of contracts/avro/<topic>/vN.avsc (a test holds them
together); the meaning of every field is in its `doc` there. Times are integer milliseconds since
1970-01-01T00:00:00Z, money is integer micros (millionths) of `currency`. Instances are immutable
and are built by keyword. A field that came with a later version has a default, so that a service
that is built with earlier contracts reads and writes the same types without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
"""Kafka headers: in order, and a name may come more than once."""


class Source(StrEnum):
    """Where an event comes from."""

    UNKNOWN = "UNKNOWN"
    AVAZU = "AVAZU"
    GENERATED = "GENERATED"
    EXTERNAL = "EXTERNAL"


class PlacementType(StrEnum):
    """Whether an ad was shown on a web site or inside an app."""

    UNKNOWN = "UNKNOWN"
    SITE = "SITE"
    APP = "APP"


class PricingModel(StrEnum):
    """What a campaign is charged for: impressions by the thousand (CPM), or clicks (CPC)."""

    UNKNOWN = "UNKNOWN"
    CPM = "CPM"
    CPC = "CPC"


class DeltaKind(StrEnum):
    """Why a metric delta was emitted."""

    UNKNOWN = "UNKNOWN"
    ON_TIME = "ON_TIME"
    LATE = "LATE"
    CORRECTION = "CORRECTION"


class OriginType(StrEnum):
    """Where a failed record was read."""

    UNKNOWN = "UNKNOWN"
    KAFKA = "KAFKA"
    FILE = "FILE"


class DeadLetterReason(StrEnum):
    """Why a record or a file row failed. `roas_contracts.rules` says when each applies."""

    UNKNOWN = "UNKNOWN"
    NULL_VALUE = "NULL_VALUE"
    NOT_WIRE_FORMAT = "NOT_WIRE_FORMAT"
    UNKNOWN_SCHEMA_ID = "UNKNOWN_SCHEMA_ID"
    WRONG_RECORD_TYPE = "WRONG_RECORD_TYPE"
    UNDECODABLE = "UNDECODABLE"
    TRAILING_BYTES = "TRAILING_BYTES"
    EVENT_TIME_OUT_OF_BOUNDS = "EVENT_TIME_OUT_OF_BOUNDS"
    FOREIGN_CURRENCY = "FOREIGN_CURRENCY"
    INVALID_FIELD = "INVALID_FIELD"
    MISSING_COLUMN = "MISSING_COLUMN"
    INVALID_CLICK = "INVALID_CLICK"
    INVALID_HOUR = "INVALID_HOUR"
    INVALID_ID = "INVALID_ID"


class DeadLetterAction(StrEnum):
    """What was done about a dead letter."""

    UNKNOWN = "UNKNOWN"
    REPLAY = "REPLAY"
    FIX = "FIX"
    DISCARD = "DISCARD"
    RESTORE = "RESTORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdImpression:
    """An ad was shown once (topic ad-impressions)."""

    event_id: str
    event_time: int
    labelled: bool
    source: Source
    campaign_id: str
    advertiser_id: str
    creative_id: str
    placement_type: PlacementType
    placement_id: str
    placement_domain: str
    placement_category: str
    banner_pos: int
    device_type: int
    connection_type: int
    creative_width: int | None = None
    creative_height: int | None = None
    device_id: str | None = None
    device_ip: str | None = None
    device_model: str | None = None
    cost_micros: int
    currency: str
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    pricing_model: PricingModel = PricingModel.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class AdClick:
    """A shown ad was clicked (topic ad-clicks)."""

    event_id: str
    impression_id: str
    event_time: int
    impression_time: int
    source: Source
    campaign_id: str
    advertiser_id: str
    creative_id: str
    placement_type: PlacementType
    placement_id: str
    placement_domain: str
    placement_category: str
    banner_pos: int
    device_type: int
    connection_type: int
    cost_micros: int
    currency: str
    pricing_model: PricingModel = PricingModel.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class AdConversion:
    """A user bought, or signed up, after an ad (topic ad-conversions)."""

    event_id: str
    impression_id: str
    event_time: int
    impression_time: int
    click_id: str | None = None
    click_time: int | None = None
    source: Source
    campaign_id: str
    advertiser_id: str
    creative_id: str
    placement_type: PlacementType
    placement_id: str
    placement_domain: str
    placement_category: str
    banner_pos: int
    device_type: int
    connection_type: int
    conversion_type: str
    revenue_micros: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdMetric:
    """Additive delta of one window and one dimension value (topics ad-metrics-1m and -5m)."""

    dimension: str
    value: str
    window_start: int
    window_end: int
    kind: DeltaKind
    impressions: int
    clicks: int
    conversions: int
    cost_micros: int
    revenue_micros: int
    currency: str
    emitted_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record or a file row that failed, byte for byte, and why (topic dead-letters)."""

    dead_letter_id: str
    origin_type: OriginType
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    file_name: str | None = None
    file_sha256: str | None = None
    line: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()
    record_timestamp: int | None = None
    timestamp_type: str | None = None
    consumer_group: str
    service: str
    service_version: str
    stage: str
    reason: DeadLetterReason
    detail: str
    schema_id: int | None = None
    first_failed_at: int
    failed_at: int
    attempts: int
    replay_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterActionRecord:
    """Something that was done about one dead letter (topic dead-letter-actions)."""

    dead_letter_id: str
    action: DeadLetterAction
    operation_id: str
    actor: str
    why: str
    selection: str
    topic: str | None = None
    partition: int | None = None
    for_group: str | None = None
    rule: str | None = None
    rules_sha256: str | None = None
    tool_version: str
    acted_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerProgress:
    """Where a replay or generation stands (topic producer-progress, compacted by input)."""

    input: str
    input_name: str
    options: str
    rows_read: int
    impressions: int
    clicks: int
    conversions: int
    dead_letters: int
    emitted_through: int
    events_emitted: int
    rebase_ms: int
    finished: bool
    updated_at: int


Event: TypeAlias = (
    AdImpression
    | AdClick
    | AdConversion
    | AdMetric
    | DeadLetter
    | DeadLetterActionRecord
    | ProducerProgress
)
"""Any record of any of our topics."""

AD_IMPRESSIONS: Final = "ad-impressions"
AD_CLICKS: Final = "ad-clicks"
AD_CONVERSIONS: Final = "ad-conversions"
AD_METRICS_1M: Final = "ad-metrics-1m"
AD_METRICS_5M: Final = "ad-metrics-5m"
DEAD_LETTERS: Final = "dead-letters"
DEAD_LETTER_ACTIONS: Final = "dead-letter-actions"
PRODUCER_PROGRESS: Final = "producer-progress"

EVENT_TOPICS: Final = (AD_IMPRESSIONS, AD_CLICKS, AD_CONVERSIONS)
"""The topics that ad events come in by; each carries heartbeats too."""

TYPE_OF_TOPIC: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        AD_IMPRESSIONS: AdImpression,
        AD_CLICKS: AdClick,
        AD_CONVERSIONS: AdConversion,
        AD_METRICS_1M: AdMetric,
        AD_METRICS_5M: AdMetric,
        DEAD_LETTERS: DeadLetter,
        DEAD_LETTER_ACTIONS: DeadLetterActionRecord,
        PRODUCER_PROGRESS: ProducerProgress,
    }
)
"""The one record type of each topic."""
