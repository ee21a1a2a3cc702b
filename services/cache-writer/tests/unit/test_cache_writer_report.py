"""Figures as people read them."""

from __future__ import annotations

import json

import pytest

from roas_cache_writer import report
from roas_contracts.redis_layout import Measures, TopBy, TopEntry


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00"),
        (4_999, "0.00"),
        (5_000, "0.01"),
        (1_234_567_890_000, "1,234,567.89"),
        (-5_000, "-0.01"),
        (10**17, "100,000,000,000.00"),
    ],
)
def test_money_is_rounded_to_cents(
    micros: int, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    report.show_top("campaign", TopBy.COST, [TopEntry("c1", Measures(1, 0, 0, micros))], False)
    assert f" {text} " in capsys.readouterr().out


def test_json_has_the_exact_figures(capsys: pytest.CaptureFixture[str]) -> None:
    entry = TopEntry("c1", Measures(4, 1, 0, 10**15 + 1, 2))
    report.show_top("campaign", TopBy.CTR, [entry], True)
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "dimension": "campaign",
        "by": "ctr",
        "top": [
            {
                "value": "c1",
                "impressions": 4,
                "clicks": 1,
                "conversions": 0,
                "cost_micros": 10**15 + 1,
                "revenue_micros": 2,
                "ctr": 0.25,
            }
        ],
    }


def test_nothing_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    report.show_top("campaign", TopBy.CTR, [], False)
    answer = capsys.readouterr()
    assert (answer.out, answer.err) == ("", "nothing to rank\n")
