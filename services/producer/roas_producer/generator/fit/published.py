"""The published figures, read from their two files."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roas_contracts.errors import InputError
from roas_producer.generator.arrays import Floats, Ints, Words
from roas_producer.generator.identifiers import scramble32

_TAIL_MOST = 49.0
"""Values with 50 rows or more are published one by one; the rest is known only as a sum."""

HEX_FIELDS = frozenset(
    {"site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category"}
    | {"device_model"}
)


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The values of one column with their impressions and clicks, the long tail included.

    Values are unsigned 32-bit hashes for hash columns and signed integers for coded ones.
    """

    field: str
    values: Ints
    totals: Floats
    """Shape (n, 2): impressions and clicks."""


@dataclass(frozen=True, slots=True)
class Published:
    """All figures over the full training set."""

    total: Floats
    hour_impressions: Floats
    hour_ctr: Floats
    day_impressions: Floats
    day_ctr: Floats
    device_types: Floats
    """Shape (n, 3): device type, impressions, clicks."""
    cardinality: dict[str, int]
    counts: dict[str, dict[str, tuple[int, int]]]

    def table(self, field: str) -> ValueTable:
        """Return a column's values: the published ones, then as many rarer ones as are missing.

        The rarer ones get values of their own (made up, not taken from anywhere) and share what
        is left of impressions and clicks, falling geometrically from 49 rows downwards.
        """
        known = self.counts[field]
        values = [_number(field, text) for text in known]
        totals = np.array(list(known.values()), dtype=float)
        left = self.total - totals.sum(axis=0)
        missing = self.cardinality.get(field, len(values)) - len(values)
        if missing > 0 and left[0] > 0:
            weight = _TAIL_MOST ** np.linspace(1.0, 0.0, missing)
            tail = np.outer(weight / weight.sum(), left)
            values += _unused(field, values, missing)
            totals = np.vstack([totals, tail])
        return ValueTable(field, np.array(values, dtype=np.int64), totals)


def load(statistics: Path, value_counts: Path) -> Published:
    """Read both files. Raises InputError when one is missing or not what it should be."""
    try:
        figures = json.loads(statistics.read_text(encoding="utf-8"))
        counts = _read_counts(value_counts)
        days = sorted(figures["day_impressions"])
        return Published(
            total=np.array([figures["rows"], figures["clicks"]], dtype=float),
            hour_impressions=np.array(figures["hour_of_day_impressions"], dtype=float),
            hour_ctr=np.array(figures["hour_of_day_ctr"], dtype=float),
            day_impressions=np.array([figures["day_impressions"][d] for d in days], dtype=float),
            day_ctr=np.array([figures["day_ctr"][d] for d in days], dtype=float),
            device_types=np.array(
                [(int(code), n, c) for code, (n, c) in figures["device_type"].items()], dtype=float
            ),
            cardinality={str(k): int(v) for k, v in figures["cardinality"].items()},
            counts=counts,
        )
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise InputError(f"{statistics} or {value_counts} lacks a figure: {error}") from error


def _read_counts(path: Path) -> dict[str, dict[str, tuple[int, int]]]:
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            pair = (int(row["impressions"]), int(row["clicks"]))
            counts.setdefault(row["field"], {})[row["value"]] = pair
    # Most frequent first, so that the order does not depend on the file's.
    return {
        field: dict(sorted(table.items(), key=lambda item: (-item[1][0], item[0])))
        for field, table in counts.items()
    }


def _number(field: str, text: str) -> int:
    return int(text, 16) if field in HEX_FIELDS else int(text)


def _unused(field: str, used: list[int], count: int) -> list[int]:
    taken = set(used)
    if field in HEX_FIELDS:
        seeds: Words = np.arange(1, 4 * count + 1, dtype=np.uint64) + np.uint64(len(field) << 20)
        free = [value for value in scramble32(seeds).tolist() if value not in taken]
        return free[:count]
    low, high = sorted(used)[1], max(used)  # sorted(used)[0] may be the -1 for "missing" (C20)
    free = [value for value in range(low, high + 2 * count) if value not in taken]
    step = max(1, len(free) // count)
    return free[::step][:count]
