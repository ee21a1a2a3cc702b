"""Events as lines of COPY."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roas_batch.rows import LineMaker, columns_of, timestamp_writer
from roas_contracts.codec import Codec
from roas_contracts.errors import InputError
from roas_contracts.events import (
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    AdConversion,
    AdImpression,
    PlacementType,
    PricingModel,
    Source,
)
from roas_contracts.subjects import load_subject

IMPRESSION = AdImpression(
    event_id="10000169349117863715",
    event_time=1_413_849_600_123,
    labelled=True,
    source=Source.AVAZU,
    campaign_id="2161",
    advertiser_id="157",
    creative_id="19771",
    placement_type=PlacementType.SITE,
    placement_id="1fbe01fe",
    placement_domain="f3845767",
    placement_category="28905ebd",
    banner_pos=0,
    device_type=1,
    connection_type=0,
    creative_width=320,
    creative_height=None,
    device_id=None,
    device_ip="ddd2926e",
    device_model="44956a24",
    cost_micros=1234,
    currency="USD",
    attributes={"C1": "1005"},
    pricing_model=PricingModel.CPM,
)


def _line(event: AdImpression) -> list[str]:
    value = Codec.for_topic(AD_IMPRESSIONS, 7).encode(event)
    maker = LineMaker(AD_IMPRESSIONS, {7: load_subject(AD_IMPRESSIONS).latest.text})
    return maker.line(value).split("\t")


def _unescaped(text: str) -> str | None:
    """What COPY reads."""
    if text == "\\N":
        return None
    out, rest = "", iter(text)
    for letter in rest:
        if letter != "\\":
            out += letter
            continue
        following = next(rest)
        out += {"t": "\t", "n": "\n", "r": "\r"}.get(following, following)
    return out


def test_an_impression_is_its_fields_in_the_contract_s_order() -> None:
    assert dict(zip(columns_of(AD_IMPRESSIONS), _line(IMPRESSION), strict=True)) == {
        "event_id": "10000169349117863715",
        "event_time": "2014-10-21 00:00:00.123+00",
        "labelled": "t",
        "source": "AVAZU",
        "campaign_id": "2161",
        "advertiser_id": "157",
        "creative_id": "19771",
        "placement_type": "SITE",
        "placement_id": "1fbe01fe",
        "placement_domain": "f3845767",
        "placement_category": "28905ebd",
        "banner_pos": "0",
        "device_type": "1",
        "connection_type": "0",
        "creative_width": "320",
        "creative_height": "\\N",
        "device_id": "\\N",
        "device_ip": "ddd2926e",
        "device_model": "44956a24",
        "cost_micros": "1234",
        "currency": "USD",
        "attributes": '{"C1":"1005"}',
        "pricing_model": "CPM",
    }


_TEXT = st.text(st.sampled_from("a\\\t\n\r\0N\x01é \u2028\x0b"), max_size=12)


@given(_TEXT, _TEXT, st.dictionaries(_TEXT, _TEXT, max_size=3))
def test_whatever_a_text_holds_comes_out_again_but_nul(
    domain: str, ip: str, attributes: dict[str, str]
) -> None:
    event = dataclasses.replace(
        IMPRESSION, placement_domain=domain, device_ip=ip, attributes=attributes
    )
    read = dict(zip(columns_of(AD_IMPRESSIONS), map(_unescaped, _line(event)), strict=True))
    assert read["placement_domain"] == domain.replace("\0", "\ufffd")
    assert read["device_ip"] == ip.replace("\0", "\ufffd")
    text = read["attributes"]
    assert text is not None
    shown = {
        key.replace("\0", "\ufffd"): value.replace("\0", "\ufffd")
        for key, value in attributes.items()
    }
    assert json.loads(text) == shown


def test_an_event_of_an_earlier_version_gets_the_default_of_what_it_lacks() -> None:
    subject = load_subject(AD_IMPRESSIONS)
    value = Codec.for_topic(AD_IMPRESSIONS, 7).encode(IMPRESSION)
    older = value[:-1]  # Version 1 ends before the pricing model, whose symbol is one byte.
    maker = LineMaker(AD_IMPRESSIONS, {7: subject.versions[0].text})
    assert maker.line(older).split("\t")[-1] == "UNKNOWN"


def test_a_time_that_no_timestamp_can_hold_is_infinite() -> None:
    write = timestamp_writer()
    assert write(0) == "1970-01-01 00:00:00.000+00"
    assert write(-1) == "1969-12-31 23:59:59.999+00"
    assert write(253_402_300_799_999) == "9999-12-31 23:59:59.999+00"
    assert write(2**63 - 1) == "infinity"
    assert write(-(2**63)) == "-infinity"


def test_an_absurd_click_time_does_not_stop_a_day() -> None:
    event = AdConversion(
        event_id="c1",
        impression_id="i1",
        event_time=1_413_849_600_000,
        impression_time=1_413_849_500_000,
        click_id="k1",
        click_time=2**62,
        source=Source.EXTERNAL,
        campaign_id="1",
        advertiser_id="1",
        creative_id="1",
        placement_type=PlacementType.APP,
        placement_id="1",
        placement_domain="d",
        placement_category="c",
        banner_pos=0,
        device_type=0,
        connection_type=0,
        conversion_type="purchase",
        revenue_micros=5,
        currency="USD",
    )
    maker = LineMaker(AD_CONVERSIONS, {1: load_subject(AD_CONVERSIONS).latest.text})
    line = maker.line(Codec.for_topic(AD_CONVERSIONS, 1).encode(event)).split("\t")
    assert line[columns_of(AD_CONVERSIONS).index("click_time")] == "infinity"


def test_an_event_that_does_not_read_as_one_is_named() -> None:
    maker = LineMaker(AD_IMPRESSIONS, {7: load_subject(AD_IMPRESSIONS).latest.text})
    with pytest.raises(InputError, match="does not read as one"):
        maker.line(b"\0\0\0\0\x07\x02")
    with pytest.raises(InputError, match="lacks the schema 8"):
        maker.line(b"\0\0\0\0\x08\x02")
