"""From a cell to a field: what is declared is taken, what is not is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from publish_files import FIELDS, made

from roas_contracts.events import (
    AdImpression,
    DeadLetterReason,
    PlacementType,
    PricingModel,
    Source,
)
from roas_producer.publish.making import AdEvent
from roas_producer.rows import BadRow


def with_field(name: str, cell: Any, **declared: Any) -> AdEvent | BadRow:
    fields = {**FIELDS, name: {"column": "x", **declared}}
    return made({"x": cell}, fields)


@pytest.mark.parametrize(
    ("declared", "cell", "expected"),
    [
        ({}, "2026-03-01T12:00:05.123456+09:00", 1772334005123),
        ({}, "2026-03-01T03:00:05Z", 1772334005000),
        ({"timezone": "Asia/Seoul"}, "2026-03-01 12:00:05", 1772334005000),
        ({}, datetime(2026, 3, 1, 3, 0, 5, tzinfo=UTC), 1772334005000),
        ({"format": "epoch_s"}, "1772334005", 1772334005000),
        ({"format": "epoch_s"}, "1772334005.1239", 1772334005123),
        ({"format": "epoch_s"}, Decimal("1772334005.5"), 1772334005500),
        ({"format": "epoch_ms"}, 1772334005123, 1772334005123),
    ],
)
def test_times_in_the_declared_format(declared: dict[str, Any], cell: Any, expected: int) -> None:
    event = with_field("event_time", cell, **declared)
    assert isinstance(event, AdImpression)
    assert event.event_time == expected


@pytest.mark.parametrize(
    ("declared", "cell", "said"),
    [
        ({}, "2026-03-01T12:00:05", "no offset"),
        ({}, "2026-03-01", "without a time of day"),
        ({}, "yesterday", "not an ISO 8601 time"),
        ({}, 1772334005, "not an ISO 8601 time"),
        ({"format": "epoch_s"}, "1772334005123", "are these epoch_ms"),
        ({"format": "epoch_ms"}, "1772334005", "are these epoch_s"),
        ({"format": "epoch_ms"}, "12.5", "not an integer"),
        ({"format": "epoch_ms"}, "9999999999999", "event_time 9999999999999 is not between"),
        ({}, "1999-01-01T00:00:00Z", "is not between"),
    ],
)
def test_times_that_are_not_guessed(declared: dict[str, Any], cell: Any, said: str) -> None:
    bad = with_field("event_time", cell, **declared)
    assert isinstance(bad, BadRow)
    assert said in bad.detail


@pytest.mark.parametrize(
    ("unit", "cell", "expected"),
    [
        ("currency", "1.25", 1_250_000),
        ("currency", "0.000001", 1),
        ("currency", Decimal("12"), 12_000_000),
        ("currency", 0.1 + 0.2, 300_000),
        ("currency", "1e-3", 1_000),
        ("micros", "2500", 2500),
        ("micros", 2500, 2500),
    ],
)
def test_money_in_the_declared_unit(unit: str, cell: Any, expected: int) -> None:
    event = with_field("cost_micros", cell, unit=unit)
    assert isinstance(event, AdImpression)
    assert event.cost_micros == expected


@pytest.mark.parametrize(
    ("unit", "cell", "said"),
    [
        ("currency", "1,234.50", "not an amount"),
        ("currency", "$5", "not an amount"),
        ("currency", "0.0000001", "more than six decimals"),
        ("currency", "NaN", "not an amount"),
        ("currency", "-1", "is not between 0 and"),
        ("currency", True, "not an amount"),
        ("currency", "1_000", "not an amount"),
        ("micros", "2.5", "not an integer"),
    ],
)
def test_money_that_is_refused(unit: str, cell: Any, said: str) -> None:
    bad = with_field("cost_micros", cell, unit=unit)
    assert isinstance(bad, BadRow)
    assert said in bad.detail


@pytest.mark.parametrize("cell", ["1.2e+18", "1e+19", "12345678901234567000.0", 1.5, Decimal("1")])
def test_an_id_that_went_through_a_float_is_refused(cell: Any) -> None:
    bad = with_field("event_id", cell)
    assert isinstance(bad, BadRow)
    assert bad.reason is DeadLetterReason.INVALID_ID


def test_an_absent_cell_is_the_default_null_or_a_bad_row() -> None:
    fields = {**FIELDS, "device_id": "device", "banner_pos": "slot", "currency": "money"}
    event = made({"device": "", "slot": None, "money": ""}, fields)
    assert isinstance(event, AdImpression)
    assert (event.device_id, event.banner_pos, event.currency) == (None, -1, "USD")
    bad = made({"campaign": ""})
    assert isinstance(bad, BadRow)
    assert bad.reason is DeadLetterReason.MISSING_COLUMN
    assert bad.detail == "campaign_id: the column 'campaign' is empty"


def test_what_a_file_does_not_say_is_said_to_be_not_known() -> None:
    event = made({})
    assert isinstance(event, AdImpression)
    assert event.source is Source.EXTERNAL
    assert event.labelled
    assert event.placement_type is PlacementType.UNKNOWN
    assert (event.banner_pos, event.device_type, event.connection_type) == (-1, -1, -1)
    assert (event.cost_micros, event.currency, event.attributes) == (0, "USD", {})


def test_values_translate_and_an_unknown_one_is_refused() -> None:
    words = {"web": "SITE", "mobile": "APP"}
    event = with_field("placement_type", "mobile", values=words)
    assert isinstance(event, AdImpression)
    assert event.placement_type is PlacementType.APP
    bad = with_field("placement_type", "tv", values=words)
    assert isinstance(bad, BadRow)
    assert "not among the values" in bad.detail


def test_another_currency_is_a_bad_row_with_the_rule_tables_reason() -> None:
    bad = with_field("currency", "EUR")
    assert isinstance(bad, BadRow)
    assert bad.reason is DeadLetterReason.FOREIGN_CURRENCY


def test_a_made_id_is_the_same_in_every_run_and_different_in_every_row() -> None:
    fields = {**FIELDS, "event_id": {"made": "row"}}
    first, again = made({}, fields), made({}, fields)
    assert isinstance(first, AdImpression)
    assert first == again
    assert len(first.event_id) == 32


def test_attributes_are_the_mapped_columns_that_are_there() -> None:
    event = made({"geo": "KR", "os": ""}, attributes={"country": "geo", "system": "os"})
    assert isinstance(event, AdImpression)
    assert event.attributes == {"country": "KR"}


def test_a_pricing_model_is_mapped_and_judged_by_the_rule_table() -> None:
    fields = {**FIELDS, "pricing_model": "model", "cost_micros": {"column": "x", "unit": "micros"}}
    event = made({"model": "CPM", "x": 5}, fields)
    assert isinstance(event, AdImpression)
    assert event.pricing_model is PricingModel.CPM
    bad = made({"model": "CPC", "x": 5}, fields)
    assert isinstance(bad, BadRow)
    assert bad.detail == "cost_micros: 5 on an event that CPC does not charge"
