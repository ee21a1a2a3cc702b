"""Event days: as asked for by a person, or as named by the assets that started a run."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

FIRST_DAY: Final = date(2010, 1, 1)
"""No believable event is older: the contracts' rules refuse it."""

MOST_DAYS: Final = 366

DAYS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    "maxItems": MOST_DAYS,
    "uniqueItems": True,
}
"""JSON schema of the parameter `days`; Airflow refuses a run that does not fit it."""


class WrongDaysError(ValueError):
    """What was asked for are no event days; the message says which and why."""


def checked(texts: Iterable[object], today: date | None = None) -> list[str]:
    """ISO dates in order, each once.

    Args:
        texts: dates as text.
        today: in UTC; the present day if left out.

    Raises:
        WrongDaysError: one is no date, before 2010 or later than tomorrow.
    """
    last = (today or datetime.now(UTC).date()) + timedelta(days=1)
    days = set()
    for text in texts:
        try:
            day = date.fromisoformat(str(text))
        except ValueError:
            raise WrongDaysError(f"{text!r} is not a date like 2014-10-21") from None
        if not FIRST_DAY <= day <= last:
            raise WrongDaysError(f"{day} is not between {FIRST_DAY} and {last}")
        days.add(day.isoformat())
    return sorted(days)


def of_events(events: Iterable[Any]) -> list[str]:
    """Days that asset events name in their metadata, unchecked; none for an event without.

    An event that a person made by hand in Airflow's pages has no days: then only what is stale
    is built.
    """
    return sorted({str(day) for event in events for day in (event.extra or {}).get("days", ())})
