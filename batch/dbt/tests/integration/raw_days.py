"""Events of whole days, made up or of an Avazu file, and how they get into raw."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg

NO_SITE = "85f751fd"


@dataclass(frozen=True, slots=True)
class Dimensions:
    source: str
    campaign_id: str
    placement_type: str
    placement_id: str
    banner_pos: int
    device_type: int
    connection_type: int
    currency: str


@dataclass(frozen=True, slots=True)
class Event:
    """One row of raw; which of the last fields count depends on the kind."""

    event_id: str
    time: datetime
    of: Dimensions
    cost_micros: int = 0
    labelled: bool = True
    impression_time: datetime | None = None
    revenue_micros: int = 0

    @property
    def impression_day(self) -> date:
        assert self.impression_time is not None
        return self.impression_time.date()


@dataclass(slots=True)
class RawDay:
    """What raw holds of one day of event time."""

    impressions: list[Event] = field(default_factory=list)
    clicks: list[Event] = field(default_factory=list)
    conversions: list[Event] = field(default_factory=list)


World = dict[date, RawDay]


def by_day(
    impressions: list[Event], clicks: list[Event], conversions: list[Event], days: list[date]
) -> World:
    """Events put under the day they happened; those of other days are left out."""
    world: World = {day: RawDay() for day in days}
    for kind, events in (
        ("impressions", impressions),
        ("clicks", clicks),
        ("conversions", conversions),
    ):
        for event in events:
            if event.time.date() in world:
                getattr(world[event.time.date()], kind).append(event)
    return world


def made_up(days: list[date], seed: int, size: int = 300) -> World:
    """Days on which everything happens: clicks after midnight, free ads, unlabelled rows, two
    currencies, ads without clicks, clicks without impressions in their hour."""
    dice = random.Random(seed)
    impressions, clicks, conversions = [], [], []
    for day in days:
        for number in range(size):
            shown = Event(
                event_id=f"{day:%m%d}-{number}",
                time=datetime.combine(day, time(), UTC)
                + timedelta(milliseconds=int(86_399_999 * max(dice.random(), dice.random()) ** 2)),
                of=Dimensions(
                    source=dice.choice(["GENERATED", "EXTERNAL", "UNKNOWN"]),
                    campaign_id=dice.choice(["1722", "c2", "c3", "nobody's"]),
                    placement_type=dice.choice(["SITE", "APP", "UNKNOWN"]),
                    placement_id=dice.choice(["p1", "p2"]),
                    banner_pos=dice.choice([0, 1, 7]),
                    device_type=dice.choice([0, 1, 4]),
                    connection_type=dice.choice([0, 2]),
                    currency=dice.choice(["USD", "USD", "EUR"]),
                ),
                cost_micros=dice.choice([0, 0, 1, 333_333, 10**15]),
                labelled=dice.random() < 0.8,
            )
            # Campaign c3 is never clicked, and shown for nothing.
            if shown.of.campaign_id == "c3":
                impressions.append(replace(shown, cost_micros=0))
                continue
            impressions.append(shown)
            if shown.labelled and dice.random() < 0.3:
                clicked = follow_up(shown, f"{shown.event_id}-k", dice.randrange(1, 5_400_000))
                clicks.append(replace(clicked, cost_micros=dice.choice([0, 123_457])))
                if dice.random() < 0.4:
                    bought = follow_up(shown, f"{shown.event_id}-b", 10_000_000)
                    conversions.append(replace(bought, revenue_micros=dice.randrange(10**9)))
    return by_day(impressions, clicks, conversions, days)


def follow_up(shown: Event, event_id: str, after_ms: int) -> Event:
    """Something that happened so many milliseconds after an impression."""
    at = shown.time + timedelta(milliseconds=after_ms)
    return Event(event_id, at, shown.of, impression_time=shown.time)


def of_avazu(path: Path) -> tuple[World, Mapping[tuple[date, str], tuple[int, int]]]:
    """An Avazu file as events, and its labels: day and campaign (C17) to impressions and clicks.

    Clicks come up to an hour later, so that many are counted in another hour, some on another day.
    """
    impressions, clicks = [], []
    shown_of: Counter[tuple[date, str]] = Counter()
    clicked_of: Counter[tuple[date, str]] = Counter()
    for number, row in enumerate(_rows(path)):
        in_app = row["site_id"] == NO_SITE
        shown = Event(
            event_id=row["id"],
            time=datetime.strptime(row["hour"], "%y%m%d%H").replace(tzinfo=UTC)
            + timedelta(milliseconds=number * 599 % 3_600_000),
            of=Dimensions(
                source="AVAZU",
                campaign_id=row["C17"],
                placement_type="APP" if in_app else "SITE",
                placement_id=row["app_id"] if in_app else row["site_id"],
                banner_pos=int(row["banner_pos"]),
                device_type=int(row["device_type"]),
                connection_type=int(row["device_conn_type"]),
                currency="USD",
            ),
            cost_micros=1_000,
        )
        impressions.append(shown)
        key = (shown.time.date(), row["C17"])
        shown_of[key] += 1
        if row["click"] == "1":
            clicked_of[key] += 1
            clicks.append(follow_up(shown, f"{row['id']}-k", number * 7_919 % 3_600_000 + 1))
    days = sorted({event.time.date() for event in (*impressions, *clicks)})
    labels = {key: (shown_of[key], clicked_of[key]) for key in shown_of}
    return by_day(impressions, clicks, [], days), labels


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def load(connection: psycopg.Connection[Any], world: World) -> None:
    """Put days into raw as `./roas batch rebuild` does: a day's rows and its mark, all at once."""
    with connection.transaction():
        for day, raw in world.items():
            _load_day(connection, day, raw)


def _load_day(connection: psycopg.Connection[Any], day: date, raw: RawDay) -> None:
    for kind in ("impressions", "clicks", "conversions"):
        table = f"raw.ad_{kind}"
        partition = f"{table}_{day:%Y%m%d}"
        connection.execute(f"DROP TABLE IF EXISTS {partition}".encode())
        connection.execute(
            f"CREATE TABLE {partition} PARTITION OF {table} FOR VALUES IN ('{day}')".encode()
        )
        rows = [_row(kind, event) for event in getattr(raw, kind)]
        if rows:
            columns = ", ".join(f'"{name}"' for name in rows[0])
            copy = f'COPY {table} (event_day, partition, "offset", {columns}) FROM STDIN'
            with connection.cursor() as cursor, cursor.copy(copy.encode()) as stream:
                for offset, row in enumerate(rows):
                    stream.write_row((day, 0, offset, *row.values()))
    connection.execute(
        "INSERT INTO batch.days VALUES (%s, clock_timestamp(), '', %s, %s, %s, 0, 0, 0, 0)"
        " ON CONFLICT (day) DO UPDATE SET built_at = excluded.built_at,"
        " impressions = excluded.impressions, clicks = excluded.clicks,"
        " conversions = excluded.conversions",
        (day, len(raw.impressions), len(raw.clicks), len(raw.conversions)),
    )


def _row(kind: str, event: Event) -> dict[str, object]:
    of = event.of
    row: dict[str, object] = {
        "record_timestamp": event.time,
        "schema_id": 1,
        "event_id": event.event_id,
        "event_time": event.time,
        "source": of.source,
        "campaign_id": of.campaign_id,
        "advertiser_id": "a",
        "creative_id": "c",
        "placement_type": of.placement_type,
        "placement_id": of.placement_id,
        "placement_domain": "d",
        "placement_category": "g",
        "banner_pos": of.banner_pos,
        "device_type": of.device_type,
        "connection_type": of.connection_type,
        "currency": of.currency,
    }
    if kind == "impressions":
        row |= {"labelled": event.labelled, "attributes": "{}"}
    else:
        row |= {"impression_id": "i", "impression_time": event.impression_time}
    if kind == "conversions":
        row |= {"conversion_type": "purchase", "revenue_micros": event.revenue_micros}
    else:
        row |= {"cost_micros": event.cost_micros, "pricing_model": "UNKNOWN"}
    return row
