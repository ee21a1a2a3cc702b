"""Event days: what is one, what assets name."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from roas_dags.days import WrongDaysError, checked, of_events

TODAY = date(2026, 3, 1)


@dataclass
class Event:
    extra: dict[str, Any] = field(default_factory=dict)


def test_days_come_in_order_and_once() -> None:
    assert checked(["2014-10-22", "2014-10-21", "2014-10-22"], TODAY) == [
        "2014-10-21",
        "2014-10-22",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2014-02-30", "not a date"),
        ("yesterday", "not a date"),
        ("", "not a date"),
        ("2009-12-31", "is not between"),
        ("2026-03-03", "is not between"),
    ],
)
def test_what_is_no_event_day_is_refused_with_a_reason(text: object, why: str) -> None:
    with pytest.raises(WrongDaysError, match=why):
        checked([text], TODAY)


def test_tomorrow_is_an_event_day_for_clocks_differ() -> None:
    assert checked(["2026-03-02"], TODAY) == ["2026-03-02"]


def test_days_of_several_asset_events_are_taken_together() -> None:
    events = [
        Event({"days": ["2014-10-22"]}),
        Event({"days": ["2014-10-21", "2014-10-22"]}),
        Event(),
    ]
    assert of_events(events) == ["2014-10-21", "2014-10-22"]
