"""The bytes that are joined by hand are those that the general way would write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from producer_rows import any_rows
from reference_events import EventBuilder

from roas_contracts.codec import Codec
from roas_contracts.events import EVENT_TOPICS, PricingModel, Source
from roas_contracts.subjects import DIRECTORY_VARIABLE, load_subject
from roas_corpus.earlier_contracts import earlier_contracts
from roas_producer.encoding import (
    VERSIONS,
    EventEncoder,
    WrittenSchema,
    WrittenSchemas,
    avro_long,
)
from roas_producer.rows import AdRow
from roas_producer.sequence import Kind, Occurrence
from roas_producer.timeline import Timeline

IDS = {"ad-impressions": 11, "ad-clicks": 12, "ad-conversions": 2_000_000_013}
KINDS = {
    "ad-impressions": Kind.IMPRESSION,
    "ad-clicks": Kind.CLICK,
    "ad-conversions": Kind.CONVERSION,
}


@dataclass(frozen=True)
class Release:
    """What a producer that is built with some contracts writes."""

    schemas: WrittenSchemas
    codecs: Mapping[Kind, Codec]

    @classmethod
    def of_the_contracts(cls) -> Release:
        versions = {topic: load_subject(topic).latest.number for topic in EVENT_TOPICS}
        schemas = (WrittenSchema(versions[topic], IDS[topic]) for topic in EVENT_TOPICS)
        codecs = {KINDS[topic]: Codec.for_topic(topic, IDS[topic]) for topic in EVENT_TOPICS}
        return cls(WrittenSchemas(*schemas), codecs)


@pytest.fixture(scope="module", params=[1, 2])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = earlier_contracts(request.param, tmp_path_factory.mktemp("contracts"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(DIRECTORY_VARIABLE, str(folder))
        return Release.of_the_contracts()


times = st.integers(1_262_304_000_000, 4_000_000_000_000)


@given(
    any_rows(),
    st.sampled_from([Kind.IMPRESSION, Kind.CLICK, Kind.CONVERSION]),
    times,
    st.integers(0, 10**8),
    st.one_of(st.none(), st.integers(0, 10**7)),
    st.integers(0, 10**15),
    st.sampled_from([Source.AVAZU, Source.GENERATED]),
    st.integers(-(10**12), 10**12),
    st.sampled_from(PricingModel),
)
def test_the_bytes_are_those_of_the_general_way(
    release: Release,
    row: AdRow,
    kind: Kind,
    shown: int,
    later: int,
    clicked: int | None,
    micros: int,
    source: Source,
    shift: int,
    model: PricingModel,
) -> None:
    click_ms = None if clicked is None else shown + clicked
    step = Occurrence(shown + later, 3, kind, row, shown, click_ms, micros, model)
    line = Timeline(Timeline.unchanged().speed, shift)
    fast = EventEncoder(source, "EUR", "purchase", line.sent, release.schemas)
    slow = EventBuilder(source, "EUR", "purchase", line.sent)
    assert fast.encode(step, row) == release.codecs[kind].encode(slow.build(step, row))


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_every_version_of_the_contracts_can_be_written(topic: str) -> None:
    assert VERSIONS[topic] == tuple(v.number for v in load_subject(topic).versions)


def test_the_first_and_the_newest_release_differ(release: Release) -> None:
    """Both are tried: the contracts that a release is built with decide what it writes."""
    versions = (release.schemas.impressions.version, release.schemas.clicks.version)
    assert versions in ((1, 1), (2, 2))
    assert release.schemas.conversions.version == 1


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_decodes_to_itself(value: int) -> None:
    rest, shift = 0, 0
    for byte in avro_long(value):
        rest |= (byte & 0x7F) << shift
        shift += 7
    assert (rest >> 1) ^ -(rest & 1) == value
