"""Bad rows come back: a damaged file and its corrected errata are the undamaged file."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from producer_files import HEADER, line, write_train_file
from producer_stack import Position, ProducerStack

from roas_contracts.events import AdClick, AdConversion, AdImpression

Sent = Counter[tuple[str, int, int, int]]


def sent(stack: ProducerStack, since: Position) -> Sent:
    """Every event with its time, its impression's time and its amount."""
    found = Sent()
    for records in stack.committed(since).values():
        for record in records:
            event = record.decoded
            if isinstance(event, AdImpression):
                found[event.event_id, event.event_time, event.event_time, event.cost_micros] += 1
            elif isinstance(event, AdClick):
                key = (event.event_id, event.event_time, event.impression_time, event.cost_micros)
                found[key] += 1
            elif isinstance(event, AdConversion):
                micros = event.revenue_micros
                found[event.event_id, event.event_time, event.impression_time, micros] += 1
    return found


def test_corrected_bad_rows_are_exactly_the_missing_events(
    stack: ProducerStack, tmp_path: Path
) -> None:
    damaged = write_train_file(
        tmp_path / "damaged.csv", hours=3, rows_an_hour=400, bad_every=7, seed=8
    )
    whole = [line(number, f"141021{(number - 1) // 400:02d}", 8) for number in range(1, 1_201)]
    clean = tmp_path / "clean.csv"
    clean.write_text("\n".join([HEADER, *whole]) + "\n")
    since = stack.position()
    stack.run("replay", clean, "--again", "clean")
    expected = sent(stack, since)

    since = stack.position()
    assert stack.run("replay", damaged)["dead_letters"] == 171
    assert sent(stack, since).total() < expected.total()
    errata = tmp_path / "damaged.csv.errata.csv"
    header, *written = errata.read_text().splitlines()
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(
        "\n".join([header, *(mended(cells, whole) for cells in csv.reader(written))]) + "\n"
    )
    result = stack.run("replay", corrected)
    assert (result["impressions"], result["dead_letters"]) == (171, 0)
    assert sent(stack, since) == expected


def mended(cells: list[str], whole: list[str]) -> str:
    """What a person makes of an errata line: our own columns stay as they are."""
    return f"{whole[int(cells[24]) - 2]},{cells[24]},{cells[25]},mended,{cells[27]}"
