"""Damage in Kafka: each turns the ledger red and is named with its place."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

from confluent_kafka import TopicPartition
from ledger_runs import assert_named, run, sentences
from planted_pipeline import PlantedPipeline
from planted_run import CLICKS, IMPRESSIONS

from roas_contracts.dead_letters import kafka_dead_letter_id


def test_a_delta_sent_twice_is_named(freshly_planted: PlantedPipeline) -> None:
    again = next(
        (topic, delta)
        for topic, delta in freshly_planted.planted
        if topic == "ad-metrics-1m" and delta.value == "site:s2"
    )
    freshly_planted.send_deltas([again])
    freshly_planted.consume_all()
    report = run(freshly_planted)
    where = "topic ad-metrics-1m 1m window 2014-10-21T00:00:00Z placement=site:s2 impressions"
    assert_named(report, where, "events in Kafka says 1, metrics topics says 2")
    assert any("site:s2 has 2 ON_TIME deltas" in note for note in report.notes)


def test_an_event_removed_from_a_topic_is_named(freshly_planted: PlantedPipeline) -> None:
    partition = next(
        number
        for number in range(2)
        if freshly_planted.read_at([(CLICKS, number, 0)])[0].value() is not None
    )
    removed = freshly_planted.admin.delete_records([TopicPartition(CLICKS, partition, 1)])
    for future in removed.values():
        future.result(timeout=30)
    report = run(freshly_planted)
    assert_named(report, f"{CLICKS}/{partition}", "the first 1 offsets were deleted")
    assert_named(report, "realtime.metrics_1m", "total=all clicks", "says 0, PostgreSQL says 1")
    assert_named(report, CLICKS, "1 more were counted than were committed")
    assert_named(report, CLICKS, "producer-progress says 13, the records in Kafka says 12")

    kept = run(freshly_planted, allow_retention=True)
    assert kept.exact, sentences(kept)
    assert kept.horizon.first_window is not None
    assert any("lost its first 1 offsets" in note for note in kept.notes)
    assert all(line.compared for line in kept.comparisons if line.check == "windows")


def test_a_missing_dead_letter_is_named(planter: PlantedPipeline) -> None:
    planter.clear()
    planter.plant(letters=lambda positions: positions[1:])
    report = run(planter)
    topic, number, offset = planter.poison[0]
    assert_named(report, f"{topic}/{number}@{offset}", "poison", "no dead letter")
    assert_named(report, topic, "1 records went nowhere")


def test_a_dead_letter_with_other_bytes_is_named(planter: PlantedPipeline) -> None:
    planter.clear()
    planter.plant(forge=lambda letter: replace(letter, headers=letter.headers[:-1], value=b"x"))
    report = run(planter)
    topic, number, offset = planter.poison[0]
    assert_named(report, f"{topic}/{number}@{offset}", "another value, headers")


def test_a_good_record_that_was_dead_lettered_is_named(freshly_planted: PlantedPipeline) -> None:
    first = (IMPRESSIONS, 0, 0)
    freshly_planted.send_dead_letters([first])
    report = run(freshly_planted)
    assert_named(report, "ad-impressions/0@0", "a good record, or none", "dead-lettered")


def test_a_good_record_sent_again_is_counted_where_it_was_sent_again(
    freshly_planted: PlantedPipeline,
) -> None:
    """What a consumer with a wrong setting refused, once that was mended and it was replayed."""
    place = (IMPRESSIONS, 0, 0)
    (refused,) = freshly_planted.read_at([place])
    freshly_planted.send_dead_letters([place])
    freshly_planted.send_again(refused, kafka_dead_letter_id(*place, "ctr-stream"))
    freshly_planted.consume_all()
    report = run(freshly_planted)
    assert report.exact, sentences(report)
    assert any("1 good records became dead letters" in note for note in report.notes)

    freshly_planted.send_again(refused, kafka_dead_letter_id(*place, "ctr-stream"))
    freshly_planted.consume_all()
    twice = run(freshly_planted)
    assert_named(twice, IMPRESSIONS, "1 records went nowhere")


def test_what_is_under_way_is_waited_for(planter: PlantedPipeline) -> None:
    """Dead letters, deltas, tables and cache that come late turn the verdict green in time."""
    planter.clear()
    finish = planter.plant(hold_back=True)
    assert not run(planter).exact
    helper = Thread(target=finish)
    helper.start()
    report = run(planter, wait=60)
    helper.join(30)
    assert report.exact, sentences(report)
