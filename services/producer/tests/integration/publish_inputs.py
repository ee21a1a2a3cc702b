"""A person's files for tests: out of order, with bad rows, and what must come of them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIRST_MS = 1_772_323_200_000
"""2026-03-01T00:00:00Z."""

MAPPING = """
version = 1

[fields]
event_id = "Ad ID"
event_time = "Shown at"
campaign_id = "Campaign"
placement_type = { constant = "SITE" }
placement_id = "Site"
cost_micros = { column = "Spend", unit = "currency" }

[attributes]
country = "Country"
"""


def rows(count: int, seed: int, bad_every: int = 0) -> list[dict[str, str]]:
    """Rows in any order, a third sharing their second with others; bad ones have no campaign."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        seconds = dice.randrange(0, 7_200)
        shown = datetime.fromtimestamp(FIRST_MS / 1000 + seconds, UTC)
        made.append(
            {
                "Ad ID": f"i-{seed}-{number}",
                "Shown at": shown.isoformat(),
                "Campaign": "" if bad_every and number % bad_every == 3 else f"c{number % 5}",
                "Site": f"site{number % 3}.example",
                "Spend": f"0.{number % 1000:03}",
                "Country": "KR",
            }
        )
    return made


def shown_ms(row: dict[str, str]) -> int:
    return int(datetime.fromisoformat(row["Shown at"]).timestamp() * 1000)


def write_csv(path: Path, table: list[dict[str, str]]) -> Path:
    lines = [",".join(table[0])] + [",".join(row.values()) for row in table]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_jsonl(path: Path, table: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    return path


def write_mapping(folder: Path) -> Path:
    path = folder / "impressions.toml"
    path.write_text(MAPPING)
    return path
