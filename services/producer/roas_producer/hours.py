"""From lines to hour blocks: one hour is held at a time, and hours may only go forward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from roas_contracts.errors import InputError
from roas_producer.kaggle import RowParser
from roas_producer.rows import AdRow, BadRow, HourBlock
from roas_producer.spool import IN_MEMORY, Spool


def hour_blocks(
    lines: Iterable[tuple[int, bytes]],
    parser: RowParser,
    file_name: str,
    skip_before_ms: int | None = None,
    in_memory: int = IN_MEMORY,
) -> Iterator[HourBlock]:
    """Group the lines of a file, header excluded, by their hour.

    A bad row belongs to the hour that is being read when it comes; those before the first good
    row belong to the first hour. Blank lines are no rows. A block is valid until the next one is
    asked for.

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
    rows = Spool[AdRow](parser.row, in_memory)
    bad = Spool[BadRow](parser.bad_row, in_memory)
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
                continue
            parsed = parser.parse(number, raw)
            if isinstance(parsed, BadRow):
                if not skipping:
                    bad.append(number, raw, parsed)
                continue
            if current is None and parsed.hour_start_ms < bound_ms:
                skipping = True
                bad.close()
                continue
            skipping = False
            if current is not None and parsed.hour_start_ms != current:
                if parsed.hour_start_ms < current:
                    raise InputError(
                        f"{file_name}, line {number}: hour {_hour(parsed.hour_start_ms)} comes "
                        f"after {_hour(current)}: sort the file by its hour column"
                    )
                yield HourBlock(current, rows, bad)
                rows.close()
                bad.close()
            current = parsed.hour_start_ms
            rows.append(number, raw, parsed)
        if len(rows) or len(bad):
            yield HourBlock(current or 0, rows, bad)
    finally:
        rows.close()
        bad.close()


def _surely_before(parser: RowParser, raw: bytes, bound_ms: int) -> bool:
    claimed = parser.hour_ms(raw)
    return claimed is not None and claimed < bound_ms


def _hour(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%dT%HZ")
