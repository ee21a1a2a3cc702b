"""Kafka to the archive: every committed record once, byte for byte, whatever happens."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from batch_events import (
    WEDNESDAY,
    Record,
    click,
    conversion,
    impression,
    impressions,
)
from batch_stack import WAIT_SECONDS, BatchStack, range_options
from confluent_kafka import TopicPartition

from roas_contracts import exit_codes
from roas_contracts.archive.reading import describe, load_whole, places
from roas_contracts.events import AD_CLICKS, AD_CONVERSIONS, AD_IMPRESSIONS

OTHERS: list[Record] = [
    (None, None, [("roas-heartbeat", b"1413849600000")]),
    (None, None, None),
    (b"k", b"\x01no wire format\x00\xff", [("trace", b"\x00"), ("trace", None)]),
]


def archived(stack: BatchStack, topic: str, partition: int) -> list[tuple[Any, ...]]:
    """The records of the archive as `BatchStack.committed` gives those of Kafka."""
    rows = []
    for place in places(stack.archive):
        if (place.topic, place.partition) == (topic, partition):
            path = stack.archive / place.path
            for row in load_whole(path, describe(path)).iter_rows():
                headers = row[5] and [(each["name"], each["value"]) for each in row[5]]
                rows.append((*row[:5], headers))
    return rows


def assert_exact(stack: BatchStack) -> None:
    for topic, partitions in ((AD_IMPRESSIONS, 4), (AD_CLICKS, 2), (AD_CONVERSIONS, 2)):
        for partition in range(partitions):
            assert archived(stack, topic, partition) == stack.committed(topic, partition)


def test_every_committed_record_is_archived_once_and_judged(stack: BatchStack) -> None:
    good = stack.records(AD_IMPRESSIONS, impressions(range(500)))
    (skipped,) = stack.records(AD_IMPRESSIONS, [impression(1)])
    foreign = stack.records(AD_IMPRESSIONS, [impression(2, WEDNESDAY, currency="EUR")])
    for_another: Record = (skipped[0], skipped[1], [("roas-for-group", b"another")])
    stack.send(AD_IMPRESSIONS, [*good, *OTHERS, for_another, *foreign])
    stack.send(AD_IMPRESSIONS, good, abort=True)
    stack.send(AD_IMPRESSIONS, good[:10], partition=3)
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(n) for n in range(20)]), partition=1)
    stack.send(AD_CONVERSIONS, stack.records(AD_CONVERSIONS, [conversion(1, WEDNESDAY)]))

    assert stack.archive_all(FILE_RECORDS="300") == ["2014-10-21", "2014-10-22"]
    assert_exact(stack)
    counts = stack.query(
        "SELECT sum(events), sum(heartbeats), sum(poison), sum(skipped), count(*)"
        " FROM batch.archived_ranges WHERE topic = 'ad-impressions' AND partition = 0"
    )
    assert counts == [(500, 1, 3, 1, 2)]
    assert stack.query(
        "SELECT event_days FROM batch.archived_ranges WHERE topic = 'ad-conversions'"
        " AND partition = 0"
    ) == [([WEDNESDAY],)]

    files = sorted((path, path.stat().st_mtime_ns) for path in stack.archive.rglob("*.parquet"))
    again = stack.answer("archive", "--topic=ad-impressions", "--partition=0", "--from=0", "--to=9")
    assert again == {"files": [], "records": 0, "days": []}
    assert sorted((p, p.stat().st_mtime_ns) for p in stack.archive.rglob("*.parquet")) == files
    verified = stack.answer("verify-archive", "--sample=100")
    assert verified == {
        "files": len(files),
        "compared": len(files),
        "damaged": [],
        "not_in_catalog": [],
    }


def test_an_archive_that_is_killed_anywhere_goes_on_and_ends_exact(stack: BatchStack) -> None:
    chosen = random.Random(20141021)
    records = stack.records(AD_IMPRESSIONS, impressions(range(6_000)))
    stack.send(AD_IMPRESSIONS, records)
    (planned,) = stack.answer("plan")["ranges"]
    small: dict[str, Any] = {"FILE_RECORDS": "500"}
    for _ in range(3):
        process = stack.start("archive", *range_options(planned), **small)
        # From the first import to the last of a dozen files.
        time.sleep(chosen.uniform(0.3, 2.5))
        process.kill()
        process.communicate(timeout=WAIT_SECONDS)
    stack.answer("archive", *range_options(planned), **small)
    assert stack.answer("plan")["ranges"] == []
    assert_exact(stack)
    assert stack.answer("verify-archive")["damaged"] == []


def test_two_archives_of_one_range_at_once_archive_it_once(stack: BatchStack) -> None:
    stack.send(AD_IMPRESSIONS, stack.records(AD_IMPRESSIONS, impressions(range(2_000))))
    (planned,) = stack.answer("plan")["ranges"]
    both = [stack.start("archive", *range_options(planned), "--json") for _ in range(2)]
    ended = [process.communicate(timeout=WAIT_SECONDS) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert_exact(stack)
    assert stack.answer("verify-archive")["damaged"] == []


def test_what_kafka_deleted_first_is_named_and_the_rest_is_archived(stack: BatchStack) -> None:
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(n) for n in range(100)]))
    for future in stack.admin.delete_records([TopicPartition(AD_CLICKS, 0, 40)]).values():
        future.result(30)
    lost = {"topic": AD_CLICKS, "partition": 0, "from_offset": 0, "to_offset": 40}
    planned = stack.answer("plan", code=exit_codes.NO)
    assert planned["lost"] == [lost]
    gone = stack.batch("archive", *range_options(lost))
    assert (gone.code, "no longer has" in gone.error) == (exit_codes.NO, True)
    for each in planned["ranges"]:
        stack.answer("archive", *range_options(each))
    assert_exact(stack)
    still = stack.answer("plan", code=exit_codes.NO)
    assert (still["lost"], still["ranges"]) == ([lost], [])

    too_much = stack.batch("accept-loss", *range_options({**lost, "to_offset": 41}), "--why=x")
    assert (too_much.code, "still has" in too_much.error) == (exit_codes.USAGE, True)
    assert stack.batch("accept-loss", *range_options(lost), "--why=an outage").code == 0
    assert stack.answer("plan")["lost"] == []


def test_a_topic_that_was_created_anew_is_not_mixed_with_the_old_one(stack: BatchStack) -> None:
    records = stack.records(AD_CLICKS, [click(n) for n in range(10)])
    stack.send(AD_CLICKS, records)
    stack.archive_all()
    not_yet = stack.batch("retire", f"--topic={AD_CLICKS}", "--yes")
    assert (not_yet.code, "nothing to retire" in not_yet.error) == (exit_codes.USAGE, True)
    stack.new_topics([AD_CLICKS])
    stack.send(AD_CLICKS, records[:5])
    refused = stack.batch("plan")
    assert (refused.code, "deleted and created again" in refused.error) == (exit_codes.USAGE, True)
    assert stack.batch("retire", f"--topic={AD_CLICKS}", "--yes").code == 0
    assert stack.archive_all() == ["2014-10-21"]
    assert stack.query(
        "SELECT retired_at IS NULL, sum(events)::int FROM batch.archived_ranges"
        " WHERE topic = 'ad-clicks' GROUP BY 1 ORDER BY 1"
    ) == [(False, 10), (True, 5)]


def test_a_damaged_file_is_found_by_either_checksum_and_named(stack: BatchStack) -> None:
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(n) for n in range(10)]))
    stack.archive_all()
    (path,) = Path(stack.archive).rglob("*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = stack.answer("verify-archive", code=exit_codes.NO)["damaged"]
    assert [path.name in each["problem"] for each in found] == [True]
    path.unlink()
    found = stack.answer("verify-archive", code=exit_codes.NO)["damaged"]
    assert ["No such file" in each["problem"] for each in found] == [True]


def test_what_is_wrong_or_away_is_one_sentence(stack: BatchStack) -> None:
    one = ("--from=0", "--to=1")
    no_server = "host=127.0.0.1 port=1"
    for arguments, settings, code, said in (
        (["plan"], {"KAFKA_BOOTSTRAP": "127.0.0.1:1"}, 3, "Kafka does not answer"),
        (["plan"], {"POSTGRES_DSN": no_server}, 3, "PostgreSQL does not answer"),
        (["plan"], {"POSTGRES_DSN": "nonsense"}, 2, "ROAS_BATCH_POSTGRES_DSN"),
        (["plan"], {"RANGE_RECORDS": "0"}, 2, "ROAS_BATCH_RANGE_RECORDS"),
        (["archive", "--topic=x", "--partition=0", *one], {}, 2, "--topic x"),
        (["archive", "--topic=ad-clicks", "--partition=9", *one], {}, 2, "partitions 0 to 1"),
        (["archive", "--topic=ad-clicks", "--partition=0", *one], {}, 2, "the offsets 0 to 0"),
    ):
        answer = stack.batch(*arguments, **settings)
        assert (answer.code, said in answer.error) == (code, True), answer


def test_a_registry_that_is_away_archives_nothing(stack: BatchStack) -> None:
    stack.send(AD_CLICKS, stack.records(AD_CLICKS, [click(1)]))
    (planned,) = stack.answer("plan")["ranges"]
    answer = stack.batch(
        "archive", *range_options(planned), REGISTRY_URL="http://127.0.0.1:1/apis/ccompat/v7"
    )
    assert (answer.code, "the registry" in answer.error) == (exit_codes.UNAVAILABLE, True)
    assert list(places(stack.archive)) == []
