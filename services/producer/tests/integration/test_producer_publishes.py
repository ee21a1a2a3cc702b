"""A person's own file through real Kafka: each row once, as an event or as a dead letter."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import polars as pl
from producer_stack import Position, ProducerStack
from publish_inputs import rows, shown_ms, write_csv, write_jsonl, write_mapping

from roas_contracts.events import (
    AdClick,
    AdConversion,
    AdImpression,
    DeadLetter,
    DeadLetterReason,
    ProducerProgress,
    Source,
)
from roas_contracts.heartbeat import Heartbeat

Shown = Counter[tuple[str, int, int]]


def expected(table: list[dict[str, str]]) -> Shown:
    """Id, time and cost of each good row."""
    good = [row for row in table if row["Campaign"]]
    return Counter((r["Ad ID"], shown_ms(r), round(float(r["Spend"]) * 10**6)) for r in good)


def impressions(stack: ProducerStack, since: Position) -> Shown:
    """What was committed; nothing may be before what a heartbeat of its partition promised, or
    before an event of its partition."""
    found, newest = Shown(), Counter[int]()
    for record in stack.committed(since)["ad-impressions"]:
        event = record.decoded
        assert isinstance(event, Heartbeat | AdImpression)
        assert event.event_time >= newest[record.partition]
        newest[record.partition] = event.event_time
        if isinstance(event, AdImpression):
            assert record.key == event.event_id.encode()
            assert event.source is Source.EXTERNAL
            assert event.attributes == {"country": "KR"}
            found[event.event_id, event.event_time, event.cost_micros] += 1
    return found


def letters(stack: ProducerStack, since: Position) -> list[DeadLetter]:
    decoded = [record.decoded for record in stack.committed(since)["dead-letters"]]
    return [letter for letter in decoded if isinstance(letter, DeadLetter)]


def test_a_file_in_any_order_goes_out_in_order_and_bad_rows_come_back_as_errata(
    stack: ProducerStack, tmp_path: Path
) -> None:
    table = rows(3_000, seed=1, bad_every=100)
    path = write_csv(tmp_path / "ads.csv", table)
    arguments: list[str | Path] = ["--as", "impressions", "--mapping", write_mapping(tmp_path)]
    dry = stack.run("publish", path, *arguments, "--dry-run")
    since = stack.position()
    result = stack.run("publish", path, *arguments)
    assert (result["impressions"], result["dead_letters"]) == (2_970, 30)
    assert (dry["events"], dry["dead_letters"]) == (2_970, 30)
    assert result["rows_read"] == 3_000
    assert impressions(stack, since) == expected(table)
    raw_lines = path.read_bytes().splitlines()
    found = letters(stack, since)
    assert len(found) == 30
    assert {letter.reason for letter in found} == {DeadLetterReason.MISSING_COLUMN}
    for letter in found:
        assert letter.value == raw_lines[(letter.line or 0) - 1]

    errata = tmp_path / "ads.csv.errata.csv"
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(errata.read_text().replace(",,site", ",mended,site"))
    missing = stack.position()
    assert stack.run("publish", corrected, *arguments)["impressions"] == 30
    mended = [{**row, "Campaign": "mended"} for row in table if not row["Campaign"]]
    assert impressions(stack, missing) == expected(mended)


def test_kill_9_in_open_transactions_loses_and_repeats_nothing(
    stack: ProducerStack, tmp_path: Path
) -> None:
    table = rows(20_000, seed=2, bad_every=97)
    path = write_csv(tmp_path / "ads.csv", table)
    arguments: list[str | Path] = ["--as", "impressions", "--mapping", write_mapping(tmp_path)]
    since = stack.position()
    killed_inside = 0
    for attempt in range(8):
        # Two hours of event time in about 14 s, whole seconds with several rows each.
        process = stack.start(
            "publish", path, *arguments, "--speed", "500", commit_interval_ms="300"
        )
        process.wait_for_commits(1 + attempt % 2)
        process.wait_for_an_open_transaction()
        process.kill()
        killed_inside += process.transaction_is_open()
        if killed_inside == 3:
            break
    assert killed_inside == 3, "the kills have to hit open transactions"
    result = stack.run("publish", path, *arguments)
    assert result["finished"]
    assert impressions(stack, since) == expected(table)
    lines = [letter.line for letter in letters(stack, since)]
    bad = sum(not row["Campaign"] for row in table)
    assert len(lines) == len(set(lines)) == result["dead_letters"] == bad
    errata = (tmp_path / "ads.csv.errata.csv").read_text().splitlines()
    assert sorted(int(line.split(",")[6]) for line in errata[1:]) == sorted(
        line or 0 for line in lines
    )
    steps = [r.decoded for r in stack.committed(since)["producer-progress"]]
    emitted = [step.events_emitted for step in steps if isinstance(step, ProducerProgress)]
    assert emitted == sorted(set(emitted))
    assert emitted[-1] == 20_000
    assert stack.run("publish", path, *arguments)["already_finished"]


def test_every_format_gives_the_same_events(stack: ProducerStack, tmp_path: Path) -> None:
    table = rows(300, seed=3)
    packed = tmp_path / "ads.csv.gz"
    packed.write_bytes(gzip.compress(write_csv(tmp_path / "plain.csv", table).read_bytes()))
    frame = pl.DataFrame(table).with_columns(
        pl.col("Shown at").str.to_datetime(time_zone="UTC"), pl.col("Spend").cast(pl.Float64)
    )
    frame.write_parquet(tmp_path / "ads.parquet")
    files = [packed, write_jsonl(tmp_path / "ads.jsonl", table), tmp_path / "ads.parquet"]
    mapping = write_mapping(tmp_path)
    for path in files:
        since = stack.position()
        assert stack.run("publish", path, "--as", "impressions", "--mapping", mapping)["finished"]
        assert impressions(stack, since) == expected(table), path.name


def test_a_stream_goes_on_while_it_comes_and_what_is_too_late_is_sent_all_the_same(
    stack: ProducerStack, tmp_path: Path
) -> None:
    table = rows(60, seed=4)
    in_order = sorted(table, key=shown_ms)
    late = in_order.pop(0)
    mapping = write_mapping(tmp_path)
    since = stack.position()
    process = stack.start(
        *("publish", "-", "--format", "jsonl", "--input-name", "live", "--as", "impressions"),
        *("--mapping", mapping, "--out-of-order", "1s", "--json"),
        commit_interval_ms="200",
    )
    pipe = process.process.stdin
    assert pipe is not None
    for row in in_order:
        pipe.write(json.dumps(row).encode() + b"\n")
    pipe.flush()
    # The rows are there before the stream has ended.
    process.wait_for_commits(1)
    pipe.write(json.dumps(late).encode() + b"\n")
    pipe.close()
    process.process.stdin = None
    code, out = process.finish()
    assert code == 0, process.log_path.read_text()[-3000:]
    assert json.loads(out)["impressions"] == 60
    (said,) = (line for line in process.events() if "--out-of-order allows" in line["event"])
    assert said["rows"] == 1
    found = Counter(
        (event.event_id, event.event_time, event.cost_micros)
        for event in (r.decoded for r in stack.committed(since)["ad-impressions"])
        if isinstance(event, AdImpression)
    )
    assert found == expected(table)


def test_clicks_and_conversions_carry_costs_and_revenue(
    stack: ProducerStack, tmp_path: Path
) -> None:
    base = {
        "event_id": "e-1",
        "impression_id": "i-1",
        "impression_time": "2026-03-01T00:00:00Z",
        "event_time": "2026-03-01T00:00:07Z",
        "campaign_id": "spring",
        "placement_id": "news.example",
    }
    clicks = write_csv(tmp_path / "clicks.csv", [{**base, "cost_micros": "350000"}])
    sold = {**base, "conversion_type": "purchase", "revenue_micros": "49900000"}
    since = stack.position()
    stack.run("publish", clicks, "--as", "clicks")
    stack.run("publish", write_jsonl(tmp_path / "sold.jsonl", [sold]), "--as", "conversions")
    records = stack.committed(since)
    click = next(r for r in records["ad-clicks"] if isinstance(r.decoded, AdClick))
    conversion = next(r for r in records["ad-conversions"] if isinstance(r.decoded, AdConversion))
    assert click.key == conversion.key == b"i-1"
    assert isinstance(click.decoded, AdClick)
    assert isinstance(conversion.decoded, AdConversion)
    assert click.decoded.cost_micros == 350_000
    assert conversion.decoded.revenue_micros == 49_900_000
    assert conversion.decoded.event_time - conversion.decoded.impression_time == 7_000


def test_a_file_that_is_mostly_bad_sends_nothing(stack: ProducerStack, tmp_path: Path) -> None:
    table = rows(2_000, seed=5)
    for row in table[1:]:
        row["Spend"] = "n/a" if row is not table[1500] else row["Spend"]
    path = write_csv(tmp_path / "ads.csv", table)
    since = stack.position()
    process = stack.start(
        "publish", path, "--as", "impressions", "--mapping", write_mapping(tmp_path)
    )
    code, _ = process.finish()
    assert code == 2
    said = process.log_path.read_text()
    assert "1,998 of 2,000 rows are bad" in said
    assert "Traceback" not in said
    assert stack.position() == since
