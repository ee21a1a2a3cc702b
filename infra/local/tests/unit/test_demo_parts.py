"""The demo's decisions: how much is streamed, and what a person is shown."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from roas_contracts.redis_layout import Measures, TopEntry, WindowSize, WindowTotals
from roas_local import demo_report, demo_view
from roas_local.demo import seconds_of
from roas_local.demo_feed import Snapshot
from roas_local.demo_traffic import (
    DEFAULT_SPEED,
    IMPRESSIONS_PER_SECOND,
    Traffic,
    generated,
    replayed,
)

T0 = 1_413_849_600_000


def option(traffic: Traffic, name: str) -> float:
    return float(traffic.arguments[traffic.arguments.index(name) + 1])


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2m", 120), ("1h", 3600), ("45", 45), ("1.5m", 90)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "2x", "-1m", "0s", "nan", "inf", "1e999h"])
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it as 90s, 2m or 1h"):
        seconds_of(text)


def test_two_minutes_are_more_than_a_million_events_and_ten_five_minute_windows() -> None:
    traffic = generated(seconds=120, rows=None, speed=None)
    assert option(traffic, "--rows") >= 1_200_000
    event_seconds = 120 * option(traffic, "--speed")
    assert event_seconds / 300 > 40
    assert option(traffic, "--hours") * 3600 >= event_seconds


@given(st.floats(1, 7200), st.none() | st.floats(1, 5000))
def test_a_bounded_demo_never_runs_out_of_rows(seconds: float, speed: float | None) -> None:
    traffic = generated(seconds, None, speed)
    used = DEFAULT_SPEED if speed is None else speed
    hours, rows = option(traffic, "--hours"), option(traffic, "--rows")
    assert hours * 3600 / used >= seconds * 0.999
    # The rate is the same however fast event time runs.
    assert math.isclose(rows * used / (hours * 3600), IMPRESSIONS_PER_SECOND, rel_tol=0.01)


@given(st.integers(1, 10**8))
def test_rows_are_taken_literally(rows: int) -> None:
    traffic = generated(None, rows, None)
    assert option(traffic, "--rows") == rows
    assert option(traffic, "--hours") >= 1


def test_a_file_goes_as_fast_as_possible_unless_told_otherwise() -> None:
    whole = replayed(Path("train.csv"), None, None)
    assert whole.arguments == ("replay", "train.csv", "--no-errata", "--speed", "max")
    part = replayed(Path("train.csv"), 100, 200.0)
    assert part.arguments[-4:] == ("--speed", "200", "--limit", "100")


def window(minute: int, impressions: int, clicks: int) -> WindowTotals:
    return WindowTotals(
        size=WindowSize.ONE_MINUTE,
        dimension="total",
        value="all",
        window_start=T0 + minute * 60_000,
        totals=Measures(impressions=impressions, clicks=clicks),
        revision=1,
        first_emitted_at=0,
        last_emitted_at=0,
        written_at=0,
    )


SNAPSHOT = Snapshot(
    events={"ad-impressions": 5_000, "ad-clicks": 900},
    event_clock=T0 + 180_000,
    events_per_second=1234.5,
    windows={WindowSize.ONE_MINUTE: [window(0, 1000, 170), window(1, 0, 3)]},
    top_campaigns=[TopEntry("[red]c1", Measures(impressions=700, clicks=70))],
    complete_until={WindowSize.ONE_MINUTE: T0 + 120_000},
    written_at=1,
    behind=7,
)


def test_the_line_for_a_log() -> None:
    assert demo_view.line(SNAPSHOT, 12.4) == (
        "   12 s · 5,900 events · 1,234/s · event clock 2014-10-21 00:03"
        " · 1m 2014-10-21 00:01 CTR - (3/0) · behind 7"
    )
    assert "event clock -" in demo_view.line(Snapshot(), 0)


def test_the_screen_shows_windows_campaigns_and_clocks() -> None:
    console = Console(width=140, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(demo_view.screen(SNAPSHOT, 12.0, "a file"))
    shown = captured.get()
    for part in ("2014-10-21 00:00", "17.00%", "1,000", "[red]c1", "10.00%", "7 deltas behind"):
        assert part in shown


def test_a_screen_without_numbers_says_what_is_waited_for() -> None:
    console = Console(width=140)
    with console.capture() as captured:
        console.print(demo_view.screen(Snapshot(), 0.0, "a file"))
    assert "waiting for the first window to close" in captured.get()


@given(st.lists(st.none() | st.floats(0, 1), max_size=80))
def test_a_sparkline_has_a_bar_for_each_value(values: list[float | None]) -> None:
    line = demo_view.sparkline(values)
    shown = values[-48:]
    if all(value is None for value in values):
        assert line == ""
        return
    assert len(line) == len(shown)
    for value, bar in zip(shown, line, strict=True):
        assert (bar == " ") == (value is None)


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert demo_view.sparkline([0.1, 0.3, None, 0.2]) == "▁█ ▅"
    assert demo_view.sparkline([0.2, 0.2]) == "▁▁"


def totals(lineage: str, size: str, windows: int) -> dict[str, object]:
    return {
        "lineage": lineage,
        "size": size,
        "windows": windows,
        "impressions": 6_000,
        "clicks": 1_031,
        "conversions": 16,
    }


def test_the_last_words(tmp_path: Path) -> None:
    report = {
        "totals": [
            totals(lineage, size, windows)
            for size, windows in (("1m", 69), ("5m", 17))
            for lineage in ("events in Kafka", "metrics topics", "PostgreSQL", "Redis")
        ],
        "latency_ms": {
            "windows": 69,
            "close_to_redis": {"p50": 960, "p99": 1280, "max": 1300},
            "sent_to_redis": None,
        },
        "differences": [],
    }
    file = tmp_path / "ledger.json"
    file.write_text(json.dumps(report))
    said = list(demo_report.sentences(file, 10.0))
    assert said == [
        "7,047 events in closed windows, 17 five-minute windows closed, in 10 s of streaming"
        " (705 events/s)",
        "PostgreSQL 1m totals: 6,000 impressions, 1,031 clicks",
        "Redis 1m totals: 6,000 impressions, 1,031 clicks",
        "PostgreSQL 5m totals: 6,000 impressions, 1,031 clicks",
        "Redis 5m totals: 6,000 impressions, 1,031 clicks",
        "window close → readable in Redis: p50 0.96 s, p99 1.28 s over 69 one-minute windows",
        "the ledger is exact",
    ]
    file.write_text(json.dumps(report | {"differences": [{}, {}], "latency_ms": None}))
    assert list(demo_report.sentences(file, 10.0))[-1] == "the ledger differs in 2 places"
