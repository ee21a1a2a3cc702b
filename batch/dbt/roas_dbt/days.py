"""Event days as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from roas_contracts.errors import InputError

_MOST = 3660


def parse_days(texts: Sequence[str]) -> list[date]:
    """Days named in options, in order, each once.

    Args:
        texts: each a list with commas, of days (2014-10-21) and ranges, ends included
            (2014-10-21..2014-10-30).

    Raises:
        InputError: one is no day, or a range runs backwards or over more than ten years.
    """
    days: set[date] = set()
    for item in (item.strip() for text in texts for item in text.split(",")):
        first, dots, last = item.partition("..")
        start = _day(first, item)
        days |= set(_range(start, _day(last, item), item)) if dots else {start}
    return sorted(days)


def _day(text: str, item: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"--days {item!r}: a day looks like 2014-10-21, a range like 2014-10-21..2014-10-30"
        ) from None


def _range(first: date, last: date, item: str) -> list[date]:
    length = (last - first).days + 1
    if not 0 < length <= _MOST:
        raise InputError(f"--days {item!r}: a range runs forward, over at most {_MOST} days")
    return [first + timedelta(days=number) for number in range(length)]
