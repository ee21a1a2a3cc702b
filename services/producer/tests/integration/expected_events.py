"""What a file's events must be, computed from the file and the README alone.

Shares no code with the producer: rows are read with the csv module, times follow the formulas
that the README documents.
"""

from __future__ import annotations

import csv
import hashlib
import math
from calendar import timegm
from collections import Counter, defaultdict
from pathlib import Path
from time import strptime

HOUR_MS = 3_600_000


def good(row: dict[str, str]) -> bool:
    """Whether a row of the files that these tests write is a good one."""
    whole = all(value is not None for value in row.values())
    return whole and row["id"].isdigit() and row["click"] in "01" and row["hour"].isdigit()


def impressions_and_clicks(path: Path) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """Ids and event times of impressions and of clicks."""
    hours: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="") as file:
        hour = ""
        for row in csv.DictReader(file):
            # A row whose hour cannot be read is of the hour before it.
            hour = row["hour"] if row["hour"].isdigit() else hour
            hours[hour].append(row)
    shown: Counter[tuple[str, int]] = Counter()
    clicked: Counter[tuple[str, int]] = Counter()
    for hour, rows in hours.items():
        start = timegm(strptime(hour, "%y%m%d%H")) * 1000
        for index, row in enumerate(rows):
            if not good(row):
                continue
            time_ms = start + index * HOUR_MS // len(rows)
            shown[row["id"], time_ms] += 1
            if row["click"] == "1":
                clicked[row["id"] + "-c", time_ms + click_delay(row["id"])] += 1
    return shown, clicked


def click_delay(impression_id: str) -> int:
    """Milliseconds, as the README says."""
    digest = hashlib.blake2b(impression_id.encode(), digest_size=40, person=b"roas-producer-1")
    word = int.from_bytes(digest.digest()[8:16], "big")
    return min(1_800_000, 1_000 + math.floor(45_000 * -math.log((word + 1) / 2**64)))
