"""The batch is a lineage of its own: what archive and raw lack is named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from ledger_runs import assert_named, run, sentences
from planted_batch import clear_batch, plant_batch
from planted_pipeline import PlantedPipeline

RAW = "1m: events in Kafka and raw"


@pytest.fixture()
def with_batch(planted: PlantedPipeline) -> Iterator[PlantedPipeline]:
    clear_batch(planted)
    plant_batch(planted)
    yield planted
    clear_batch(planted)


def change(planted: PlantedPipeline, statement: str) -> None:
    with psycopg.connect(planted.servers.dsn) as connection:
        assert connection.execute(statement.encode()).rowcount == 1


def test_a_whole_batch_agrees_and_says_how_much_was_compared(with_batch: PlantedPipeline) -> None:
    report = run(with_batch)
    assert report.exact, sentences(report)
    by_pair = {line.between: line for line in report.comparisons if line.check == "batch"}
    assert set(by_pair) == {RAW, "committed records in Kafka and the archive"}
    one_minute = next(line for line in report.comparisons if "metrics topics" in line.between)
    assert by_pair[RAW].compared == one_minute.compared


def test_a_row_deleted_from_raw_is_named(with_batch: PlantedPipeline) -> None:
    change(
        with_batch,
        "DELETE FROM raw.ad_clicks WHERE event_id ="
        " (SELECT min(event_id) FROM raw.ad_clicks WHERE campaign_id = 'c1')",
    )
    report = run(with_batch)
    assert_named(report, "raw, 2014-10-21 1m window", "total=all clicks", "events in Kafka says")
    assert_named(report, "campaign=c1 clicks")
    assert {difference.check for difference in report.differences} == {"batch"}


def test_a_hole_in_the_archive_is_named_with_its_partition(with_batch: PlantedPipeline) -> None:
    change(
        with_batch,
        "UPDATE batch.archived_ranges SET from_offset = 2, events = events - 2"
        " WHERE topic = 'ad-impressions' AND partition = 0",
    )
    report = run(with_batch)
    assert_named(report, "ad-impressions/0@0-", "archive says")


def test_a_day_that_is_behind_its_archive_is_a_note_and_not_compared(
    with_batch: PlantedPipeline,
) -> None:
    change(with_batch, "UPDATE batch.days SET built_at = '2014-10-22'")
    report = run(with_batch)
    assert report.exact, sentences(report)
    assert any("not compared on: 2014-10-21" in note for note in report.notes)
