"""Rows for tests: by hand, and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from roas_contracts.events import DeadLetterReason
from roas_producer.event_time import SpreadTimes
from roas_producer.rows import HOUR_MS, NO_APP, NO_DEVICE, NO_SITE, AdRow, BadRow, HourBlock

FIRST_HOUR_MS = 1_413_849_600_000
"""2014-10-21T00:00:00Z."""

MODEL_LINE = (
    "{id},{click},{hour},1005,0,1fbe01fe,f3845767,28905ebd,ecad2386,7801e8d9,07d7df22,a99f214a,"
    "ddd2926e,44956a24,1,2,15706,320,50,1722,0,35,-1,79"
)


def ad_row(number: int, *, click: bool | None = False, hour: int = 0, campaign: str = "7") -> AdRow:
    """An ordinary row; ``number`` is its id, ``hour`` counts from ``FIRST_HOUR_MS``."""
    return AdRow(
        id=str(number),
        click=click,
        hour_start_ms=FIRST_HOUR_MS + hour * HOUR_MS,
        C1="1005",
        banner_pos=0,
        site_id="1fbe01fe",
        site_domain="f3845767",
        site_category="28905ebd",
        app_id=NO_APP,
        app_domain="7801e8d9",
        app_category="07d7df22",
        device_id=NO_DEVICE,
        device_ip="ddd2926e",
        device_model="44956a24",
        device_type=1,
        device_conn_type=2,
        C14="15706",
        C15=320,
        C16=50,
        C17=campaign,
        C18="0",
        C19="35",
        C20="-1",
        C21="79",
    )


def bad_row(line: int) -> BadRow:
    """A row without a usable id."""
    raw = f"broken{line}".encode()
    return BadRow(line, DeadLetterReason.INVALID_ID, "id is 'broken'", raw)


def csv_line(number: int, click: int | str = 0, hour: str = "14102100") -> str:
    """A line of the train file."""
    return MODEL_LINE.format(id=number, click=click, hour=hour)


texts = st.text(min_size=1, max_size=20)
codes = st.integers(-(10**6), 10**6).map(str)
int_codes = st.integers(-(2**31), 2**31 - 1)


@st.composite
def any_rows(draw: st.DrawFn) -> AdRow:
    """Any row that the type allows, site or app, with or without what may be missing."""
    return AdRow(
        id=str(draw(st.integers(0, 2**64 - 1))),
        click=draw(st.sampled_from([True, False, None])),
        hour_start_ms=FIRST_HOUR_MS,
        C1=draw(codes),
        banner_pos=draw(int_codes),
        site_id=draw(st.one_of(st.just(NO_SITE), texts)),
        site_domain=draw(texts),
        site_category=draw(texts),
        app_id=draw(texts),
        app_domain=draw(texts),
        app_category=draw(texts),
        device_id=draw(st.one_of(st.just(NO_DEVICE), texts)),
        device_ip=draw(texts),
        device_model=draw(texts),
        device_type=draw(int_codes),
        device_conn_type=draw(int_codes),
        C14=draw(codes),
        C15=draw(int_codes),
        C16=draw(int_codes),
        C17=draw(codes),
        C18=draw(codes),
        C19=draw(codes),
        C20=draw(codes),
        C21=draw(codes),
    )


@st.composite
def hour_blocks(draw: st.DrawFn, max_rows: int = 30) -> list[HourBlock]:
    """Hours in order, with gaps, with good and bad rows; ids are unique."""
    hours = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=4)))
    blocks, number = [], 0
    for hour in hours:
        clicks = draw(st.lists(st.sampled_from([True, False, None]), max_size=max_rows))
        rows = []
        for click in clicks:
            number += 1
            rows.append(ad_row(number * 7919, click=click, hour=hour, campaign=str(number % 5)))
        bad = [bad_row(1_000 * hour + at) for at in range(draw(st.integers(0, 3)))]
        count = len(rows) + len(bad)
        places = sorted(draw(st.permutations(range(count)))[: len(bad)])
        start_ms = FIRST_HOUR_MS + hour * HOUR_MS
        blocks.append(HourBlock(start_ms, rows, bad, SpreadTimes(start_ms, count, places)))
    return blocks
