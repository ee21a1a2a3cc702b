"""What the job declares, held against the contracts."""

from pathlib import Path

import pytest

import roas_ctr_stream
from roas_contracts import metric_key, rules
from roas_contracts.events import EVENT_TOPICS
from roas_contracts.subjects import load_subject
from roas_ctr_stream import job


def types_of(topic: str) -> dict[str, object]:
    fields = load_subject(topic).latest.parsed["fields"]
    return {
        field["name"]: field["type"]["type"] if isinstance(field["type"], dict) else field["type"]
        for field in fields
    }


def test_every_event_topic_is_counted_once() -> None:
    assert sorted(counted.topic for counted in job.TOPICS) == sorted(EVENT_TOPICS)


def test_every_dimension_of_the_contracts_is_counted() -> None:
    assert tuple(job.DIMENSIONS) == metric_key.DIMENSIONS


@pytest.mark.parametrize("counted", job.TOPICS, ids=lambda counted: counted.topic)
def test_every_column_that_is_looked_at_is_in_the_contract(counted: job.CountedTopic) -> None:
    types = types_of(counted.topic)
    assert all(types[name] == "string" for name in (*counted.ids, "currency"))
    times = ["event_time", *filter(None, [counted.impression_time])]
    assert all(types[name] == "long" for name in times)
    money = [*filter(None, [counted.cost, counted.revenue])]
    assert all(types[name] == "long" for name in money)
    assert {name for name in types if name.endswith("_micros")} == set(money)
    if counted.topic in rules.FREE_UNDER:
        assert counted.cost == "cost_micros"
        assert types["pricing_model"] == "enum"
    for columns in job.DIMENSIONS.values():
        assert set(columns) <= set(types)


def test_a_long_window_is_whole_short_ones() -> None:
    assert job.LONG_WINDOW_MS % job.SHORT_WINDOW_MS == 0


def test_the_version_is_the_version_files() -> None:
    version = Path(roas_ctr_stream.__file__).parent.parent / "VERSION"
    assert version.read_text().strip() == roas_ctr_stream.__version__
