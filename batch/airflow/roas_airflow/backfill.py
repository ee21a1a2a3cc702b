"""Which days a backfill is about, and how far its runs are; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from roas_contracts.errors import InputError

MOST_DAYS: Final = 366
FIRST_DAG: Final = "ingest_events"
FINAL_STATES: Final = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str

    @property
    def has_ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.state in FINAL_STATES


def days_between(first: date, last: date, today: date) -> list[str]:
    """ISO dates from `first` to `last`, both included.

    Raises:
        InputError: the range is the wrong way round, too long or in the future.
    """
    if first > last:
        raise InputError(f"--from {first} is after --to {last}")
    if last > today:
        raise InputError(f"--to {last} is in the future: today is {today} (UTC)")
    count = (last - first).days + 1
    if count > MOST_DAYS:
        raise InputError(f"{count} days are too many at once: at most {MOST_DAYS}")
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]
