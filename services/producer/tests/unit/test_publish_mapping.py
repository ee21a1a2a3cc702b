"""The mapping file: what is wrong is named, with what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from publish_files import FIELDS, mapping

from roas_contracts.errors import MisconfigurationError
from roas_producer.publish.fields import EventName, FieldKind, contract_fields
from roas_producer.publish.mapping import load_mapping, mapping_by_name

TOML = """
version = 1
[fields]
event_id = "Ad ID"
event_time = "at"
campaign_id = "campaign"
placement_id = { constant = "news" }
cost_micros = { column = "spend", unit = "currency" }
"""


def refused(folder: Path, text: str, name: str = "m.toml") -> str:
    path = folder / name
    path.write_text(text)
    with pytest.raises(MisconfigurationError) as refusal:
        load_mapping(path, EventName.IMPRESSIONS, "USD")
    assert name in str(refusal.value)
    return str(refusal.value)


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(TOML)
    (tmp_path / "m.yaml").write_text(
        "version: 1\nfields:\n  event_id: Ad ID\n  event_time: at\n  campaign_id: campaign\n"
        "  placement_id: {constant: news}\n  cost_micros: {column: spend, unit: currency}\n"
    )
    toml, yaml = (
        load_mapping(tmp_path / name, EventName.IMPRESSIONS, "USD") for name in ("m.toml", "m.yaml")
    )
    assert toml == yaml
    assert toml.columns == ["Ad ID", "at", "campaign", "spend"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("campaign_id", "campagne_id", "did you mean 'campaign_id'?"),
        ("unit =", "units =", "fields.cost_micros.units: no such key; did you mean 'unit'?"),
        ("[fields]", "[feilds]", "did you mean 'fields'?"),
        (', unit = "currency"', "", "say what the amounts count"),
        ('event_id = "Ad ID"', "", "event_id: impressions need a column or a constant"),
        ("version = 1", "version = 2", "version: Input should be 1"),
        ('"at"', '{ column = "at", format = "unix" }', "fields.event_time.format"),
        ('"at"', '{ column = "at", timezone = "Asia/Soul" }', "did you mean 'Asia/Seoul'?"),
        ('"at"', '{ column = "at", unit = "micros" }', "unit does not go with a time"),
        ("constant =", 'column = "x", constant =', "say one of: column, constant, made"),
        ("[fields]", '[fields]\nsource = "x"', "it is always EXTERNAL"),
        ("[fields]", '[fields]\ncurrency = { constant = "EUR" }', "is not the reporting currency"),
        ("version", "version = = 1", "m.toml"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in refused(tmp_path, TOML.replace(old, new))


def test_a_mapping_that_is_no_mapping(tmp_path: Path) -> None:
    assert "neither .toml nor .yaml" in refused(tmp_path, TOML, "m.json")
    assert "m.yaml" in refused(tmp_path, "- a\n- b\n", "m.yaml")
    with pytest.raises(MisconfigurationError, match="cannot be read"):
        load_mapping(tmp_path / "gone.toml", EventName.CLICKS, "USD")


def test_columns_named_as_the_fields_need_no_mapping() -> None:
    columns = ["event_time", "event_id", "campaign_id", "placement_id", "note", "attributes.geo"]
    found = mapping_by_name(columns, EventName.IMPRESSIONS, "USD")
    assert found.columns == [
        "event_time",
        "event_id",
        "campaign_id",
        "placement_id",
        "attributes.geo",
    ]
    with pytest.raises(MisconfigurationError, match="--mapping"):
        mapping_by_name(["a", "b"], EventName.IMPRESSIONS, "USD")
    with pytest.raises(MisconfigurationError, match="impression_id, impression_time"):
        mapping_by_name(columns, EventName.CLICKS, "USD")


def test_another_mapping_is_another_run() -> None:
    assert mapping().fingerprint == mapping(dict(FIELDS)).fingerprint
    assert mapping().fingerprint != mapping({**FIELDS, "advertiser_id": "a"}).fingerprint


@pytest.mark.parametrize("event", list(EventName))
def test_every_field_of_the_contract_can_be_mapped(event: EventName) -> None:
    fields = contract_fields(event)
    assert "source" not in fields
    assert "attributes" not in fields
    assert fields["event_time"].kind is FieldKind.TIME
    required = {name for name, field in fields.items() if field.required}
    assert (
        required
        == {
            EventName.IMPRESSIONS: {"event_id", "event_time", "campaign_id", "placement_id"},
            EventName.CLICKS: {
                *("event_id", "event_time", "campaign_id", "placement_id"),
                *("impression_id", "impression_time"),
            },
            EventName.CONVERSIONS: {
                *("event_id", "event_time", "campaign_id", "placement_id"),
                *("impression_id", "impression_time", "conversion_type"),
            },
        }[event]
    )
