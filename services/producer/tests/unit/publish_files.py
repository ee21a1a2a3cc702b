"""Small files of a person, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roas_producer.lines import identify
from roas_producer.publish.fields import EventName
from roas_producer.publish.formats import format_of, reader_of
from roas_producer.publish.making import AdEvent, EventMaker
from roas_producer.publish.mapping import ColumnMapping, MappingFile, check_mapping
from roas_producer.publish.rows import FileRow
from roas_producer.rows import BadRow

NOW_MS = 1_800_000_000_000

FIELDS: dict[str, Any] = {
    "event_id": "id",
    "event_time": {"column": "at", "format": "epoch_ms"},
    "campaign_id": "campaign",
    "placement_id": "site",
}
ROW: dict[str, Any] = {
    "id": "i-1",
    "at": "1772334005000",
    "campaign": "spring",
    "site": "news.example",
}


def mapping(
    fields: dict[str, Any] | None = None,
    event: EventName = EventName.IMPRESSIONS,
    **others: Any,
) -> ColumnMapping:
    declared = MappingFile.model_validate({"version": 1, "fields": fields or FIELDS, **others})
    return check_mapping(declared, event, "USD", "test")


def made(
    cells: dict[str, Any], fields: dict[str, Any] | None = None, **others: Any
) -> AdEvent | BadRow:
    """What becomes of a row with these cells."""
    maker = EventMaker(mapping(fields, **others), "file", "USD", NOW_MS)
    return maker.make(FileRow(2, lambda: b"raw", {**ROW, **cells}))


def read(path: Path, delimiter: str | None = None) -> list[FileRow]:
    """All rows of a file."""
    return list(reader_of(identify(path, None), format_of(path, None), delimiter).rows())
