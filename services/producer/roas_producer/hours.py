"""From lines to hour blocks: one hour is held at a time, and hours may only go forward."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from roas_contracts.errors import InputError
from roas_producer.event_time import GivenTimes, SpreadTimes
from roas_producer.kaggle import RowParser
from roas_producer.rows import HOUR_MS, AdRow, BadRow, HourBlock, RowTimes
from roas_producer.spool import IN_MEMORY, Spool

_MOST_UNDECIDED: Final = 1_000


def hour_blocks(
    lines: Iterable[tuple[int, bytes]],
    parser: RowParser,
    file_name: str,
    skip_before_ms: int | None = None,
    in_memory: int = IN_MEMORY,
) -> Iterator[HourBlock]:
    """Group the lines of a file, header excluded, by their hour.

    A bad row belongs to the hour that is being read when it comes, or to the next one where that
    is the hour it says; those before the first good row belong to the first hour. Blank lines are
    no rows. A block is valid until the next one is asked for.

    Args:
        lines: number and bytes of every line behind the header.
        parser: for this file's layout.
        file_name: for messages.
        skip_before_ms: leave out whole hours before this one (and their bad rows) without
            parsing them. They were read before.
        in_memory: rows of an hour held as objects before a temporary file is used.

    Raises:
        InputError: hours go backwards; names file and line.
    """
    hour = _Hour(parser, in_memory)
    current: int | None = None
    bound_ms = 0 if skip_before_ms is None else skip_before_ms
    # Not before there is a good row: bad rows at the head of the file belong to the first hour,
    # whichever that is.
    skipping = False
    try:
        for number, raw in lines:
            if not raw:
                continue
            if skipping and _surely_before(parser, raw, bound_ms):
                hour.clear()
                continue
            parsed = parser.parse(number, raw)
            if isinstance(parsed, BadRow):
                hour.bad_row(parsed, bound_ms - 1 if skipping else current)
                continue
            if current is None and parsed.hour_start_ms < bound_ms:
                skipping = True
                hour.clear()
                continue
            if skipping:
                hour.begin(parsed.hour_start_ms)
            skipping = False
            if current is not None and parsed.hour_start_ms != current:
                if parsed.hour_start_ms < current:
                    raise InputError(
                        f"{file_name}, line {number}: hour {_hour(parsed.hour_start_ms)} comes "
                        f"after {_hour(current)}: sort the file by its hour column"
                    )
                yield hour.block(current, parsed.hour_start_ms)
                hour.begin(parsed.hour_start_ms)
            current = parsed.hour_start_ms
            hour.row(number, raw, parsed)
        if skipping:
            hour.clear()
        last = hour.block(current, None)
        if len(last.rows) or len(last.bad):
            yield last
    finally:
        hour.close()


class _Hour:
    """The rows of the hour that is being read."""

    def __init__(self, parser: RowParser, in_memory: int) -> None:
        self._parser = parser
        self._is_errata = parser.is_errata
        self._rows = Spool[AdRow](parser.row, in_memory)
        self._bad = Spool[BadRow](parser.bad_row, in_memory)
        self._undecided: list[tuple[int | None, BadRow]] = []
        """Bad rows at the end, which may belong to the next hour; with the hour they say."""
        self._forget()

    def row(self, number: int, raw: bytes, row: AdRow) -> None:
        """A good row of this hour: so are the bad ones before it."""
        if self._undecided:
            self._decide(None)
        if self._is_errata:
            self._given.add(self._parser.time_ms(raw) or 0, is_bad=False)
        self._rows.append(number, raw, row)

    def bad_row(self, row: BadRow, current: int | None) -> None:
        """A bad row; ``current`` is the hour of the last good row, or any before the next one."""
        claimed = self._parser.hour_ms(row.raw)
        later = claimed is not None and current is not None and claimed > current
        # Behind one that is undecided all are, or their order would be lost.
        if (later or self._undecided) and len(self._undecided) < _MOST_UNDECIDED:
            self._undecided.append((claimed, row))
        else:
            self._decide(None)
            self._append(row)

    def block(self, start_ms: int | None, following: int | None) -> HourBlock:
        """What was read; what is undecided stays where it says the hour that follows."""
        self._decide(following)
        if start_ms is None:
            start_ms = self._first_bad_ms - self._first_bad_ms % HOUR_MS
        times: RowTimes
        if self._is_errata:
            times = self._given.within(start_ms)
        else:
            count = len(self._rows) + len(self._bad)
            times = SpreadTimes(start_ms, count, self._places)
        return HourBlock(start_ms, self._rows, self._bad, times)

    def begin(self, start_ms: int) -> None:
        """Go on with another hour, with the bad rows that stayed for it."""
        self._decide(start_ms)
        stayed = self._undecided
        self._undecided = []
        self.clear()
        for _, row in stayed:
            self._append(row)

    def clear(self) -> None:
        """Forget what was read."""
        self._undecided.clear()
        self.close()
        self._forget()

    def close(self) -> None:
        """Give the disk space back."""
        self._rows.close()
        self._bad.close()

    def _forget(self) -> None:
        self._places = array("Q")
        self._given = GivenTimes()
        self._first_bad_ms = 0

    def _decide(self, following: int | None) -> None:
        """Those at the end that say the following hour, and what cannot be read between them,
        are of that; all else is ours."""
        at = end = len(self._undecided)
        while following is not None and end and self._undecided[end - 1][0] in (following, None):
            end -= 1
            at = end if self._undecided[end][0] == following else at
        ours, self._undecided = self._undecided[:at], self._undecided[at:]
        for _, row in ours:
            self._append(row)

    def _append(self, row: BadRow) -> None:
        self._places.append(len(self._rows) + len(self._bad))
        if self._is_errata:
            time_ms = self._parser.time_ms(row.raw) or 0
            self._first_bad_ms = self._first_bad_ms or time_ms
            self._given.add(time_ms, is_bad=True)
        self._bad.append(row.line, row.raw, row)


def _surely_before(parser: RowParser, raw: bytes, bound_ms: int) -> bool:
    claimed = parser.hour_ms(raw)
    return claimed is not None and claimed < bound_ms


def _hour(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%dT%HZ")
