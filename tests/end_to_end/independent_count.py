"""Counts an Avazu file per minute and dimension value, from its columns and nothing else.

It shares no code with the project: the definitions are those of the producer's README. As a
script it prints the counts as CSV: `python independent_count.py train.csv [minutes]`.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from math import floor, log
from pathlib import Path

Counts = Counter[tuple[int, str, str, str]]
"""By window start (epoch seconds), dimension, value, and what is counted."""

NO_SITE = "85f751fd"


def click_delay_ms(impression_id: str) -> int:
    words = blake2b(impression_id.encode(), digest_size=40, person=b"roas-producer-1").digest()
    second = int.from_bytes(words[8:16], "big")
    return min(1_800_000, 1_000 + floor(45_000 * -log((second + 1) / 2**64)))


def events(path: Path) -> Iterator[tuple[int, dict[str, str], str]]:
    """Event time (ms), the row, and `impressions` or `clicks`."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    of_hour = Counter(row["hour"] for row in rows)
    seen: Counter[str] = Counter()
    for row in rows:
        hour = row["hour"]
        start = datetime.strptime(hour, "%y%m%d%H").replace(tzinfo=UTC)
        shown = int(start.timestamp()) * 1000 + seen[hour] * 3_600_000 // of_hour[hour]
        seen[hour] += 1
        yield shown, row, "impressions"
        if row["click"] == "1":
            yield shown + click_delay_ms(row["id"]), row, "clicks"


def count(path: Path, minutes: int) -> Counts:
    """Impressions and clicks per window of so many minutes."""
    counts: Counts = Counter()
    for time_ms, row, what in events(path):
        start = time_ms // (minutes * 60_000) * minutes * 60
        in_app = row["site_id"] == NO_SITE
        placement = f"app:{row['app_id']}" if in_app else f"site:{row['site_id']}"
        for dimension, value in (
            ("total", "all"),
            ("campaign", row["C17"]),
            ("placement", placement),
            ("banner_pos", row["banner_pos"]),
            ("device_type", row["device_type"]),
        ):
            counts[(start, dimension, value, what)] += 1
    return counts


if __name__ == "__main__":
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    writer = csv.writer(sys.stdout)
    for key, number in sorted(count(Path(sys.argv[1]), size).items()):
        writer.writerow([*key, number])
