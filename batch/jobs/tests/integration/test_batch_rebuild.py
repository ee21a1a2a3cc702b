"""The archive to days of raw: a day is whole, or it is as it was."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from batch_events import TUESDAY, WEDNESDAY, at, click, conversion, impression, impressions
from batch_stack import WAIT_SECONDS, BatchStack, wait_until

from roas_contracts import exit_codes
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS
from roas_local.components import PostgresServer
from roas_local.layout import current
from roas_local.migrate import migrate

DAY = f"--day={TUESDAY}"


def counts(stack: BatchStack) -> list[int]:
    """Rows of the three tables."""
    return [
        int(stack.query(f"SELECT count(*) FROM raw.{table}")[0][0])
        for table in ("ad_impressions", "ad_clicks", "ad_conversions")
    ]


def tables(stack: BatchStack) -> list[str]:
    """Everything in raw that is not one of the three tables themselves."""
    return [
        name
        for (name,) in stack.query(
            "SELECT relname FROM pg_class WHERE relnamespace = 'raw'::regnamespace"
            " AND relkind = 'r' ORDER BY relname"
        )
    ]


def send_a_day(stack: BatchStack, rows: int) -> None:
    for partition in range(2):
        its = impressions(range(partition, rows, 2))
        stack.send(AD_IMPRESSIONS, stack.records(AD_IMPRESSIONS, its), partition)
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(n) for n in range(rows // 10)]))
    some = [conversion(n) for n in range(rows // 100)]
    stack.send(AD_CONVERSIONS, stack.records(AD_CONVERSIONS, some))


def test_a_day_holds_every_event_of_it_and_says_what_is_doubled_or_poison(
    stack: BatchStack,
) -> None:
    send_a_day(stack, 1_000)
    again = impressions([5, 6, 6])
    others = [impression(1, currency="EUR"), impression(7, WEDNESDAY)]
    stack.send(AD_IMPRESSIONS, stack.records(AD_IMPRESSIONS, [*again, *others]), 2)
    assert stack.archive_all() == ["2014-10-21", "2014-10-22"]

    built = stack.answer("rebuild", DAY, WORKERS="2")
    assert built == {
        "changed": True,
        "day": "2014-10-21",
        "impressions": 1_003,
        "clicks": 100,
        "conversions": 10,
        "duplicate_impressions": 3,
        "duplicate_clicks": 0,
        "duplicate_conversions": 0,
        "poison": 1,
    }
    assert counts(stack) == [1_003, 100, 10]
    assert stack.query("SELECT DISTINCT event_day FROM raw.ad_impressions") == [(TUESDAY,)]
    (row,) = stack.query(
        "SELECT partition, event_id, extract(epoch FROM event_time)::bigint * 1000, campaign_id,"
        " placement_type, placement_domain, placement_category, banner_pos, creative_width,"
        " creative_height, device_id, device_model, cost_micros, attributes, pricing_model"
        " FROM raw.ad_impressions WHERE event_id = 'i17'"
    )
    assert row == (
        1,
        "i17",
        at(TUESDAY, 17),
        "2",
        "SITE",
        "tab\tand\\backslash\nü",
        "c\ufffdc",
        1,
        320,
        None,
        None,
        "",
        17,
        {"C1": "10\t05", 'q"': "\\"},
        "CPM",
    )
    positions = stack.query('SELECT partition, "offset" FROM raw.ad_impressions ORDER BY 1, 2')
    assert positions == [
        (partition, record[0])
        for partition in range(3)
        for record in stack.committed(AD_IMPRESSIONS, partition)
        if not (partition == 2 and record[0] >= 3)
    ]
    assert stack.query("SELECT count(*) FROM raw.ad_conversions WHERE click_time = 'infinity'") == [
        (5,)
    ]

    built_at = stack.query("SELECT built_at FROM batch.days")
    assert stack.answer("rebuild", DAY) == {**built, "changed": False}
    assert stack.query("SELECT built_at FROM batch.days") == built_at
    assert stack.answer("plan")["days"] == ["2014-10-22"]


def test_late_arrivals_rebuild_their_day_and_a_day_without_data_is_empty(
    stack: BatchStack,
) -> None:
    send_a_day(stack, 100)
    for day in stack.archive_all():
        stack.answer("rebuild", f"--day={day}")
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(500), click(1, WEDNESDAY)]), 1)
    assert stack.archive_all() == ["2014-10-21", "2014-10-22"]
    assert counts(stack) == [100, 10, 1]
    assert stack.answer("rebuild", DAY)["clicks"] == 11
    assert counts(stack) == [100, 11, 1]
    assert stack.answer("rebuild", f"--day={WEDNESDAY}")["clicks"] == 1
    assert stack.answer("plan") == {"ranges": [], "lost": [], "days": []}

    nothing = stack.answer("rebuild", "--day=2014-10-30")
    assert (nothing["changed"], nothing["impressions"]) == (True, 0)
    assert counts(stack) == [100, 12, 1]
    assert stack.answer("rebuild", "--day=2014-10-30")["changed"] is False
    assert tables(stack) == [
        "ad_clicks_20141021",
        "ad_clicks_20141022",
        "ad_conversions_20141021",
        "ad_impressions_20141021",
    ]


def test_a_damaged_file_is_refused_by_name_and_the_day_stays_as_it_was(
    stack: BatchStack,
) -> None:
    send_a_day(stack, 100)
    stack.archive_all()
    stack.answer("rebuild", DAY)
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(500)]))
    stack.archive_all()
    path = sorted(Path(stack.archive).glob("ad-clicks/*/0/*.parquet"))[0]
    good = path.read_bytes()
    path.write_bytes(good[:-20] + bytes(20))
    refused = stack.batch("rebuild", DAY)
    assert (refused.code, str(path) in refused.error) == (exit_codes.USAGE, True)
    assert counts(stack) == [100, 10, 1]
    assert len(tables(stack)) == 3
    path.write_bytes(good)
    assert stack.answer("rebuild", DAY)["clicks"] == 11


def test_a_day_does_not_get_smaller_unless_it_is_said(stack: BatchStack) -> None:
    send_a_day(stack, 100)
    stack.archive_all()
    stack.answer("rebuild", DAY)
    stack.new_topics([AD_CLICKS])
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(1)]))
    assert stack.batch("retire", f"--topic={AD_CLICKS}", "--yes").code == exit_codes.OK
    assert stack.archive_all() == ["2014-10-21"]
    refused = stack.batch("rebuild", DAY)
    assert (refused.code, "has 10 clicks" in refused.error) == (exit_codes.NO, True)
    assert counts(stack) == [100, 10, 1]
    assert stack.answer("rebuild", DAY, "--fewer")["clicks"] == 1
    assert counts(stack) == [100, 1, 1]


def test_a_rebuild_that_is_killed_anywhere_shows_the_old_day_or_the_new(stack: BatchStack) -> None:
    chosen = random.Random(20141021)
    send_a_day(stack, 10_000)
    stack.archive_all(FILE_RECORDS="1000")
    stack.answer("rebuild", DAY)
    before = counts(stack)
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(1)]))
    stack.archive_all()
    after = [before[0], before[1] + 1, before[2]]
    for _ in range(3):
        process = stack.start("rebuild", DAY, "--force", WORKERS="2")
        # From the first import to the attaching.
        time.sleep(chosen.uniform(0.5, 4))
        assert counts(stack) in (before, after)
        process.kill()
        process.communicate(timeout=WAIT_SECONDS)
        assert counts(stack) in (before, after)
    # A killed one's workers may still be copying what nobody will attach.
    wait_until("nobody loads", lambda: not _loading(stack))
    stack.answer("rebuild", DAY, "--force")
    assert counts(stack) == after
    assert tables(stack) == [
        "ad_clicks_20141021",
        "ad_conversions_20141021",
        "ad_impressions_20141021",
    ]


def test_two_rebuilds_of_a_day_at_once_build_it_once(stack: BatchStack) -> None:
    send_a_day(stack, 2_000)
    stack.archive_all()
    both = [stack.start("rebuild", DAY, "--json") for _ in range(2)]
    ended = [process.communicate(timeout=WAIT_SECONDS) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert sorted('"changed": true' in output for output, _ in ended) == [False, True]
    assert counts(stack) == [2_000, 200, 20]


def test_postgres_restarted_in_mid_load_leaves_the_day_as_it_was(
    stack: BatchStack, tmp_path: Path
) -> None:
    send_a_day(stack, 10_000)
    with PostgresServer(tmp_path / "postgres") as postgres:
        _own_database(stack, postgres)
        stack.archive_all(FILE_RECORDS="1000")
        process = stack.start("rebuild", DAY)
        wait_until("it loads", lambda: _loading(stack))
        postgres.kill()
        postgres.start()
        _, error = process.communicate(timeout=WAIT_SECONDS)
        assert (process.returncode, "Traceback" in error) == (exit_codes.UNAVAILABLE, False), error
        assert counts(stack) == [0, 0, 0]
        assert stack.answer("rebuild", DAY)["impressions"] == 10_000
        assert counts(stack) == [10_000, 1_000, 100]
        assert len(tables(stack)) == 3


def _own_database(stack: BatchStack, postgres: PostgresServer) -> None:
    """From here on the stack's PostgreSQL is this one, which may be killed."""
    stack.dsn = postgres.dsn
    migrate(stack.dsn, current().repository / "infra" / "postgres" / "migrations")


def _loading(stack: BatchStack) -> list[tuple[Any, ...]]:
    return stack.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'roas-batch load'"
        " AND datname = current_database() AND query LIKE 'COPY%%' AND state = 'active'"
    )
