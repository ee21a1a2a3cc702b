"""Record values to lines of PostgreSQL's COPY, in the order of the contract's fields. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from roas_contracts import wire
from roas_contracts.avro_reading import UndecodableError
from roas_contracts.errors import InputError
from roas_contracts.resolution import compile_reader
from roas_contracts.subjects import load_subject

_NULL: Final = "\\N"
_EARLIEST: Final = -62_135_596_800  # Year 1; seconds since 1970.
_LATEST: Final = 253_402_300_800  # Year 10000.
_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"}
)

_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def columns_of(topic: str) -> list[str]:
    """The fields of the topic's newest contract: the columns behind the record's own."""
    return [field["name"] for field in load_subject(topic).latest.parsed["fields"]]


class LineMaker:
    """Makes lines of one topic's events. Not thread-safe.

    Args:
        topic: the topic.
        schemas: the writers' schemas by id.
    """

    def __init__(self, topic: str, schemas: Mapping[int, str]) -> None:
        self._schemas = schemas
        self._schema = json.loads(load_subject(topic).latest.text)
        parsed = load_subject(topic).latest.parsed
        writers = [(field["name"], _writer(field["type"])) for field in parsed["fields"]]
        self._converted = [(name, write) for name, write in writers if write not in (None, _text)]
        self._values = itemgetter(*(name for name, _ in writers))
        self._text_names = [name for name, write in writers if write is _text]
        self._texts = itemgetter(*self._text_names)
        self._readers: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {}

    def line(self, value: bytes) -> str:
        """The fields of a value that was judged to be an event, without the record's own columns.

        Raises:
            InputError: it does not read as one: it was judged by a newer release than this one.
        """
        schema_id = wire.schema_id_of(value)
        read = self._readers.get(schema_id)
        if read is None:
            read = self._readers[schema_id] = self._reader(schema_id)
        try:
            datum, _ = read(value, wire.HEADER_LENGTH)
        except (UndecodableError, UnicodeDecodeError, IndexError) as error:
            raise InputError(f"an archived event does not read as one: {error}") from error
        # One look at all texts: hardly ever does one have anything to escape.
        if not _is_plain("".join(self._texts(datum))):
            for name in self._text_names:
                datum[name] = _text(datum[name])
        for name, write in self._converted:
            datum[name] = write(datum[name])
        return "\t".join(self._values(datum))

    def _reader(self, schema_id: int) -> Callable[[bytes, int], tuple[Any, int]]:
        text = self._schemas.get(schema_id)
        if not text:
            raise InputError(f"the file lacks the schema {schema_id} of an event in it")
        return compile_reader(json.loads(text), self._schema, {})


def _writer(schema: Any) -> Callable[[Any], str] | None:
    """A function from a value of this type to COPY text; None where it is that already."""
    if isinstance(schema, list):
        (inner,) = (branch for branch in schema if branch != "null")
        return _nullable(_writer(inner) or str)
    kind = schema if isinstance(schema, str) else schema.get("logicalType") or schema["type"]
    if kind == "timestamp-millis":
        return _Timestamps()
    if kind == "map":
        return _Maps()
    if kind == "boolean":
        return _boolean
    if kind in ("int", "long"):
        return str
    # An enum's symbols are plain names; a string may hold anything.
    return _text if kind == "string" else None


def _nullable(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: _NULL if value is None else write(value)


def _text(value: str) -> str:
    return value if _is_plain(value) else value.translate(_ESCAPES)


def _is_plain(text: str) -> bool:
    """Whether there is nothing to escape: what is printable has at most a backslash."""
    return text.isprintable() and "\\" not in text


def _boolean(value: bool) -> str:
    return "t" if value else "f"


def _json(value: Mapping[str, str]) -> str:
    text = _to_json(value)
    if "\\" not in text:
        return text
    if "\\u0000" in text:  # Perhaps a NUL, which jsonb can't hold.
        text = _to_json({_shown(key): _shown(item) for key, item in value.items()})
    return text.replace("\\", "\\\\")


def _shown(text: str) -> str:
    return text.replace("\0", "\ufffd")


class _Maps:
    """Maps as JSON. Few different ones come again and again."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, str], ...], str] = {}

    def __call__(self, value: Mapping[str, str]) -> str:
        key = tuple(value.items())
        text = self._known.get(key)
        if text is None:
            if len(self._known) > 10_000:
                self._known.clear()
            text = self._known[key] = _json(value)
        return text


class _Timestamps:
    """Milliseconds since 1970 as a timestamp; ±infinity where there is no such year."""

    def __init__(self) -> None:
        self._minutes: dict[int, str] = {}

    def __call__(self, value: int) -> str:
        minute, rest = divmod(value, 60_000)
        prefix = self._minutes.get(minute)
        if prefix is None:
            seconds = minute * 60
            if not _EARLIEST <= seconds < _LATEST:
                return "infinity" if seconds > 0 else "-infinity"
            prefix = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:")
            if len(self._minutes) > 100_000:
                self._minutes.clear()
            self._minutes[minute] = prefix
        return f"{prefix}{rest // 1000:02}.{rest % 1000:03}+00"


def timestamp_writer() -> Callable[[int], str]:
    """A function from milliseconds since 1970 to COPY text."""
    return _Timestamps()
