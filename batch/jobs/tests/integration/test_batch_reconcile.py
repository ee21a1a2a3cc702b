"""A day of realtime against batch against Kafka: each planted difference gets its right name."""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
from batch_events import TUESDAY, at, click, conversion, impression
from batch_stack import WAIT_SECONDS, BatchStack
from confluent_kafka import TopicPartition
from planted_realtime import Cell, PlantedRealtime, Sums, counted

from roas_contracts import exit_codes
from roas_contracts.events import (
    AD_CLICKS,
    AD_CONVERSIONS,
    AD_IMPRESSIONS,
    AdClick,
    AdConversion,
    AdImpression,
)

DAY = f"--day={TUESDAY}"
LOOK_ONCE = "--wait=0"
LAST = at(TUESDAY, 20 * 60)
"""A window at the end: what is before it is closed."""

Events = list[AdImpression | AdClick | AdConversion]


def events_of_a_day() -> Events:
    """Sixty impressions in ten minutes, some clicks and conversions, and one much later."""
    return [
        *(impression(number * 10) for number in range(60)),
        *(click(number * 10) for number in range(0, 60, 4)),
        *(conversion(number * 10) for number in range(0, 60, 8)),
        impression(20 * 60),
    ]


def plant(stack: BatchStack) -> tuple[PlantedRealtime, dict[Cell, Sums]]:
    """A day that is archived and built, and what the stream has to say about it."""
    events = events_of_a_day()
    for topic, kind in (
        (AD_IMPRESSIONS, AdImpression),
        (AD_CLICKS, AdClick),
        (AD_CONVERSIONS, AdConversion),
    ):
        its: list[Any] = [event for event in events if isinstance(event, kind)]
        stack.send(topic, stack.records(topic, its))
    assert stack.archive_all() == [str(TUESDAY)]
    stack.answer("rebuild", DAY)
    return PlantedRealtime(stack), counted(events)


def change(stack: BatchStack, statement: str) -> None:
    """Change exactly one row by hand."""
    with psycopg.connect(stack.dsn) as connection:
        assert connection.execute(statement.encode()).rowcount == 1


def reconcile(stack: BatchStack, *options: str, code: int, **settings: str) -> Any:
    return stack.answer("reconcile", DAY, *options, code=code, **settings)


def less(found: Sums, *others: Sums | None) -> Sums:
    """Figures without others."""
    for other in others:
        if other is not None:
            found = tuple(a - b for a, b in zip(found, other, strict=True))
    return found


def causes(report: Any) -> dict[str, set[str]]:
    """Places by cause."""
    found: dict[str, set[str]] = {}
    for each in report["differences"]:
        found.setdefault(each["cause"], set()).add(each["place"])
    return found


def test_a_day_on_which_all_agree_says_how_much_was_compared(stack: BatchStack) -> None:
    realtime, sums = plant(stack)
    nothing = stack.batch("reconcile", DAY, LOOK_ONCE)
    assert (nothing.code, "closed no window" in nothing.error) == (exit_codes.UNAVAILABLE, True)
    realtime.emit(sums)
    realtime.apply()
    realtime.pass_all()
    report = reconcile(stack, LOOK_ONCE, code=exit_codes.OK)
    assert (report["verdict"], report["causes"]) == ("agrees", {})
    assert report["compared"] == len(sums)
    assert stack.query("SELECT day::text, verdict, compared FROM batch.reconciliations") == [
        (str(TUESDAY), "agrees", len(sums))
    ]
    unknown = stack.batch("reconcile", "--day=2014-10-25", LOOK_ONCE)
    assert (unknown.code, "raw has no 2014-10-25" in unknown.error) == (
        exit_codes.UNAVAILABLE,
        True,
    )
    # Windows behind the newest closed one are not compared, whatever they hold.
    change(stack, "DELETE FROM realtime.freshness WHERE window_size = '5m'")
    assert reconcile(stack, LOOK_ONCE, code=0)["compared"] == sum(c[0] == "1m" for c in sums)


def test_each_cause_is_named_where_it_is_and_what_can_be_is_corrected(stack: BatchStack) -> None:
    realtime, sums = plant(stack)
    minute = at(TUESDAY, 0)
    total = ("1m", minute, "total", "all")
    campaign = ("1m", minute + 60_000, "campaign", "0")
    placement = ("5m", minute, "placement", "app:p1")
    # The stream: one figure is never emitted, one twice; an event is dead-lettered; the last
    # conversion is not passed yet.
    dead, late = counted([impression(120)]), counted([conversion(560)])
    emitted = {cell: less(found, dead.get(cell), late.get(cell)) for cell, found in sums.items()}
    del emitted[campaign]
    realtime.emit({cell: found for cell, found in emitted.items() if any(found)})
    realtime.emit({placement: emitted[placement]})
    realtime.dead_letter(AD_IMPRESSIONS, 0, 12)
    realtime.pass_all({(AD_CONVERSIONS, 0): 7})
    realtime.apply()
    # The tables: one row is altered, one deleted, one doubled.
    where = "window_start = '2014-10-21T00:0{}:00Z' AND dimension = '{}' AND value = '{}'"
    set_ = "UPDATE realtime.metrics_1m SET on_time_impressions = on_time_impressions"
    change(stack, f"{set_} + 3 WHERE {where.format(0, 'total', 'all')}")
    change(stack, f"DELETE FROM realtime.metrics_1m WHERE {where.format(4, 'banner_pos', '0')}")
    twice = ", ".join(
        f"on_time_{name} = on_time_{name} * 2" for name in ("impressions", "clicks", "conversions")
    )
    money = "on_time_cost_micros = on_time_cost_micros * 2"
    revenue = "on_time_revenue_micros = on_time_revenue_micros * 2"
    change(
        stack,
        f"UPDATE realtime.metrics_1m SET {twice}, {money}, {revenue}"
        f" WHERE {where.format(6, 'device_type', '1')}",
    )

    report = reconcile(stack, LOOK_ONCE, code=exit_codes.NO)
    found = causes(report)
    assert found.pop("altered") == {"1m 2014-10-21T00:00:00Z total=all"}
    assert found.pop("missing") == {
        "1m 2014-10-21T00:01:00Z campaign=0",
        "1m 2014-10-21T00:04:00Z banner_pos=0",
    }
    assert found.pop("doubled") == {
        "1m 2014-10-21T00:06:00Z device_type=1",
        "5m 2014-10-21T00:00:00Z placement=app:p1",
    }
    assert found.pop("dead letter") == {_place(cell) for cell in dead}
    assert found.pop("late") == {_place(cell) for cell in late}
    assert found == {}
    (altered,) = (each for each in report["differences"] if each["cause"] == "altered")
    assert (altered["says"], altered["expected"]["impressions"], altered["got"]["impressions"]) == (
        "metrics topic, realtime",
        sums[total][0],
        sums[total][0] + 3,
    )
    missing = next(each for each in report["differences"] if "campaign=0" in each["place"])
    assert missing["expected"]["impressions"] == sums[campaign][0]
    assert missing["got"]["impressions"] == 0
    assert [each for each in missing["records"] if each["topic"] == AD_IMPRESSIONS] == [
        {
            "topic": AD_IMPRESSIONS,
            "partition": 0,
            "from_offset": 6,
            "last_offset": 11,
            "records": 6,
        }
    ]
    assert report["correctable"] == 5

    with realtime.applying():
        corrected = reconcile(stack, "--correct", LOOK_ONCE, code=exit_codes.NO)
        assert corrected["corrections"] == 5
        assert set(causes(corrected)) == {"dead letter", "late"}
        assert corrected["before"]["missing"] == 2
        again = reconcile(stack, "--correct", LOOK_ONCE, code=exit_codes.NO)
        assert (again["corrections"], set(causes(again))) == (0, {"dead letter", "late"})
    rows = stack.query(
        "SELECT scope, cause, count(*) FROM batch.corrections WHERE committed_at IS NOT NULL"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert rows == [
        ("stream", "doubled", 1),
        ("stream", "missing", 1),
        ("table", "altered", 1),
        ("table", "doubled", 1),
        ("table", "missing", 1),
    ]
    # The late record comes through, in the way late ones do: it is not counted twice.
    realtime.emit(late)
    realtime.pass_all()
    realtime.apply()
    assert set(causes(reconcile(stack, LOOK_ONCE, code=exit_codes.NO))) == {"dead letter"}


def test_a_run_that_is_killed_while_it_corrects_never_corrects_twice(stack: BatchStack) -> None:
    chosen = random.Random(20141021)
    realtime, sums = plant(stack)
    left_out = {cell for cell in sums if cell[1] < at(TUESDAY, 600) and cell[2] == "campaign"}
    realtime.emit({cell: found for cell, found in sums.items() if cell not in left_out})
    realtime.pass_all()
    with realtime.applying():
        for _ in range(4):
            process = stack.start("reconcile", DAY, "--correct", LOOK_ONCE)
            planned = 0
            deadline = time.monotonic() + WAIT_SECONDS
            while not planned and process.poll() is None and time.monotonic() < deadline:
                planned = stack.query("SELECT count(*) FROM batch.corrections")[0][0]
            # From the plan to the commit, and a little beyond.
            time.sleep(chosen.uniform(0, 0.15))
            process.kill()
            process.communicate(timeout=WAIT_SECONDS)
        last = reconcile(stack, "--correct", LOOK_ONCE, code=exit_codes.OK)
        assert last["causes"] == {}
    for size in ("1m", "5m"):
        most = stack.query(f"SELECT max(correction_deltas) FROM realtime.metrics_{size}")
        assert most == [(1,)]
    committed = stack.query("SELECT count(*), count(committed_at) FROM batch.corrections")
    assert committed == [(len(left_out), len(left_out))]


def test_what_kafka_and_the_archive_lack_is_named_with_its_offsets(stack: BatchStack) -> None:
    realtime, sums = plant(stack)
    realtime.emit(sums)
    realtime.apply()
    realtime.pass_all()
    # Not archived yet, and counted already: late. Behind it, an archived range: then a hole.
    extra: list[AdClick] = [click(30), click(50)]
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, extra))
    realtime.emit(counted(extra))
    realtime.apply()
    realtime.pass_all()
    report = reconcile(stack, LOOK_ONCE, code=exit_codes.OK)
    assert (report["verdict"], set(report["causes"])) == ("agrees", {"late"})
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(10_000)]))
    end = len(stack.records(AD_CLICKS, events_clicks())) + 1 + len(extra) + 1
    stack.answer(
        "archive", f"--topic={AD_CLICKS}", "--partition=0", f"--from={end}", f"--to={end + 1}"
    )
    stack.answer("rebuild", DAY)
    report = reconcile(stack, LOOK_ONCE, code=exit_codes.NO)
    assert f"{AD_CLICKS}/0@{end - 3}-{end - 1}" in causes(report)["archive missing"]
    assert {_place(cell) for cell in counted(extra)} < causes(report)["archive missing"]
    assert report["correctable"] == 0
    stack.archive_all()
    stack.answer("rebuild", DAY)
    assert "archive missing" not in reconcile(stack, LOOK_ONCE, code=exit_codes.OK)["causes"]

    # A stretch of Kafka's records is deleted, though their retention is not over.
    deleted = stack.admin.delete_records([TopicPartition(AD_IMPRESSIONS, 0, 20)])
    for future in deleted.values():
        future.result(30)
    report = reconcile(stack, LOOK_ONCE, code=exit_codes.NO)
    assert causes(report) == {"kafka records deleted": {f"{AD_IMPRESSIONS}/0@0-19"}}
    (difference,) = report["differences"]
    assert (difference["expected"], difference["got"]) == (20, 0)

    # A row of raw is deleted by hand: nothing is corrected by such a batch.
    change(stack, 'DELETE FROM raw.ad_conversions WHERE "offset" = 3')
    report = reconcile(stack, LOOK_ONCE, code=exit_codes.NO)
    assert "raw.ad_conversions" in causes(report)["raw missing"]
    assert {_place(cell) for cell in counted([conversion(240)])} < causes(report)["raw missing"]
    assert report["correctable"] == 0


def events_clicks() -> list[AdClick]:
    return [event for event in events_of_a_day() if isinstance(event, AdClick)]


def _place(cell: Cell) -> str:
    size, start, dimension, value = cell
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start / 1000))
    return f"{size} {stamp} {dimension}={value}"
