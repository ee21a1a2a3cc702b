"""One line of Kaggle's format: a typed row, or a bad row that says why.

Kaggle's train file has 24 columns, the test file 23 (no ``click``). A line is a row: no field of
the real files holds a line end. Quoted fields are understood, as some tools add quotes. Checks
are strict: what passes here is accepted by every consumer.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from roas_contracts.errors import DETAIL_MAX_CHARS, InputError, PoisonError
from roas_contracts.events import DeadLetterReason
from roas_producer.errata_layouts import ERRATA_COLUMNS, TIME_COLUMN
from roas_producer.rows import NO_DEVICE, AdRow, BadRow

TRAIN_COLUMNS: Final = (
    "id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,app_domain,"
    "app_category,device_id,device_ip,device_model,device_type,device_conn_type,"
    "C14,C15,C16,C17,C18,C19,C20,C21"
).split(",")
TEST_COLUMNS: Final = [name for name in TRAIN_COLUMNS if name != "click"]

MAX_FIELD_BYTES: Final = 256
_MAX_ID: Final = (1 << 64) - 1
_MAX_ID_DIGITS: Final = len(str(_MAX_ID))
_INT32: Final = range(-(1 << 31), 1 << 31)
_OLDEST_YEAR: Final = 2010
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CODE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_REMEMBERED_CODES: Final = 100_000
_SHOWN_CHARS: Final = 80
_PLAIN: Final = re.compile(
    r"([1-9][0-9]{0,19}),([01]),([0-9]{8}),"
    r"((?:[^,\"]+,){8})([^,\"]+),([^,\"]+),([^,\"]+),((?:[^,\"]+,){8})([^,\"]+),([^,\"]+)"
)
"""Most lines of a train file: id, click, hour, C1 to app_category, device_id, device_ip,
device_model, device_type to C19, C20, C21. Nothing of it is quoted or empty."""

_NAME_COLUMNS: Final = [*range(5, 14)]
_CODE_COLUMNS: Final = [3, 16, 19, 20, 21, 22, 23]
_INT_COLUMNS: Final = [4, 14, 15, 17, 18]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a file has, by its header."""

    labelled: bool
    """Whether there is a ``click`` column."""
    errata: bool = False
    """Whether the errata columns follow."""

    @property
    def columns(self) -> list[str]:
        """The header's names, in order."""
        kaggle = TRAIN_COLUMNS if self.labelled else TEST_COLUMNS
        return kaggle + ([*ERRATA_COLUMNS, TIME_COLUMN] if self.errata else [])


def read_header(line: bytes, file_name: str) -> Layout:
    """Recognise a header.

    Raises:
        InputError: it is not Kaggle's; names the first difference.
    """
    try:
        names = [name.strip().strip('"') for name in line.decode("utf-8-sig").split(",")]
    except UnicodeDecodeError:
        raise InputError(f"{file_name}, line 1: not text, so not Kaggle's CSV") from None
    for labelled in (True, False):
        for errata in (False, True):
            layout = Layout(labelled, errata)
            if layout.columns == names:
                return layout
    if not line:
        raise InputError(f"{file_name}: empty, Kaggle's header line is expected")
    expected = TRAIN_COLUMNS if "click" in names else TEST_COLUMNS
    for at, name in enumerate(expected):
        found = names[at] if at < len(names) else "nothing"
        if found != name:
            raise InputError(
                f"{file_name}, line 1: column {at + 1} is {found[:_SHOWN_CHARS]!r} "
                f"where Kaggle's header has {name!r}"
            )
    raise InputError(f"{file_name}, line 1: {len(names) - len(expected)} columns too many")


class RowParser:
    """Parses the lines of one file.

    Args:
        layout: what the header said.
        synthesize_ids: make every id from this and the line number instead of reading it, for
            files whose ids have lost digits (went through a float).
    """

    def __init__(self, layout: Layout, synthesize_ids: str | None = None) -> None:
        self._layout = layout
        self._width = len(layout.columns)
        self._synthesize = synthesize_ids
        self._codes: dict[str, str] = {}
        self._ints: dict[str, int] = {}
        self._hours: dict[str, int] = {}
        self._models: dict[str, str] = {}
        self._places: dict[str, tuple[Any, ...]] = {}
        """Columns C1 to app_category of a good row, by their text: checked and typed before."""
        self._creatives: dict[str, tuple[Any, ...]] = {}
        """The same of device_type to C19."""
        self._may_be_plain = layout.labelled and not layout.errata

    def parse(self, line: int, raw: bytes) -> AdRow | BadRow:
        """Parse line number ``line`` (1-based), given without its line end."""
        try:
            return self._row(line, raw)
        except PoisonError as error:
            return BadRow(line, error.reason, error.detail, raw)

    def row(self, line: int, raw: bytes) -> AdRow:
        """Parse a line of which it is known that it is a good row."""
        return self._row(line, raw)

    def bad_row(self, line: int, raw: bytes) -> BadRow:
        """Parse a line of which it is known that it is a bad row."""
        parsed = self.parse(line, raw)
        if isinstance(parsed, AdRow):
            raise ValueError(f"line {line} is a good row")
        return parsed

    def hour_ms(self, raw: bytes) -> int | None:
        """The hour a line claims, where it can be read at a glance; None where it cannot."""
        fields = raw.split(b",", 3)
        at = 2 if self._layout.labelled else 1
        try:
            return self._hour(fields[at].decode()) if len(fields) > at else None
        except (PoisonError, UnicodeDecodeError):
            return None

    @property
    def is_errata(self) -> bool:
        """Whether each row says its time."""
        return self._layout.errata

    def time_ms(self, raw: bytes) -> int | None:
        """The time that an errata row has kept; None where it cannot be read."""
        try:
            text = raw.decode()
            fields = text.split(",") if '"' not in text else _unquote(text)
            return self._given_time(fields[-1])
        except (PoisonError, UnicodeDecodeError):
            return None

    def _row(self, line: int, raw: bytes) -> AdRow:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise PoisonError(
                DeadLetterReason.INVALID_FIELD, f"byte {error.start + 1} is not UTF-8"
            ) from None
        plain = _PLAIN.fullmatch(text) if self._may_be_plain else None
        if plain is not None:
            row = self._known(line, plain, len(raw))
            if row is None:
                row = self._checked(line, raw, text)
                self._learn(plain, row)
            return row
        return self._checked(line, raw, text)

    def _known(self, line: int, plain: re.Match[str], length: int) -> AdRow | None:
        """A row of which every part was seen and found good before, but what differs in each.

        What rows have in common is the same object in all of them: an hour takes less memory.
        """
        identity, label, hour, place, device, address, model, creative, c20, c21 = plain.groups()
        placed, created = self._places.get(place), self._creatives.get(creative)
        hour_start_ms = self._hours.get(hour)
        known20, known21 = self._codes.get(c20), self._codes.get(c21)
        if (
            placed is None
            or created is None
            or hour_start_ms is None
            or known20 is None
            or known21 is None
            or length > MAX_FIELD_BYTES
            or (len(identity) == _MAX_ID_DIGITS and int(identity) > _MAX_ID)
        ):
            return None
        return AdRow._make(
            (
                identity if self._synthesize is None else self._made_id(line),
                label == "1",
                hour_start_ms,
                *placed,
                NO_DEVICE if device == NO_DEVICE else device,
                address,
                self._models.setdefault(model, model),
                *created,
                known20,
                known21,
            )
        )

    def _learn(self, plain: re.Match[str], row: AdRow) -> None:
        """What is in a row that was found good."""
        for known, text, columns in (
            (self._places, plain[4], row[3:11]),
            (self._creatives, plain[8], row[14:22]),
        ):
            if len(known) < _REMEMBERED_CODES:
                known[text] = columns
        if len(self._models) > _REMEMBERED_CODES:
            self._models.clear()

    def _checked(self, line: int, raw: bytes, text: str) -> AdRow:
        """Every field of a row looked at."""
        fields = text.split(",") if '"' not in text else _unquote(text)
        if len(fields) != self._width:
            self._refuse_width(fields)
        if not self._layout.labelled:
            fields.insert(1, "")
        if self._layout.errata:
            self._given_time(fields[-1])
        if len(raw) > MAX_FIELD_BYTES:
            _refuse_long_fields(fields)
        identity, label, hour = fields[:3]
        codes, ints = self._codes, self._ints
        row_id = self._id(identity) if self._synthesize is None else self._made_id(line)
        if label == "0":
            click: bool | None = False
        elif label == "1":
            click = True
        elif self._layout.labelled:
            raise PoisonError(
                DeadLetterReason.INVALID_CLICK, f"click is {_shown(label)}, not 0 or 1"
            )
        else:
            click = None
        hour_start_ms = self._hours.get(hour)
        if hour_start_ms is None:
            hour_start_ms = self._hour(hour)
        for at in _NAME_COLUMNS:
            if not fields[at]:
                raise PoisonError(DeadLetterReason.MISSING_COLUMN, f"{TRAIN_COLUMNS[at]} is empty")
        for at in _CODE_COLUMNS:
            if fields[at] not in codes:
                self._learn_code(at, fields[at])
        for at in _INT_COLUMNS:
            if fields[at] not in ints:
                self._learn_int(at, fields[at])
        return AdRow._make(
            (
                row_id,
                click,
                hour_start_ms,
                fields[3],
                ints[fields[4]],
                *fields[5:14],
                ints[fields[14]],
                ints[fields[15]],
                fields[16],
                ints[fields[17]],
                ints[fields[18]],
                *fields[19:24],
            )
        )

    def _refuse_width(self, fields: list[str]) -> None:
        if len(fields) < self._width:
            missing = self._layout.columns[len(fields)]
            raise PoisonError(
                DeadLetterReason.MISSING_COLUMN,
                f"{len(fields)} of {self._width} columns: {missing} and what follows is missing",
            )
        raise PoisonError(
            DeadLetterReason.INVALID_FIELD,
            f"{len(fields)} columns where the header has {self._width}",
        )

    @staticmethod
    def _id(text: str) -> str:
        canonical = text.isascii() and text.isdigit() and (text[0] != "0" or text == "0")
        if not canonical or len(text) > _MAX_ID_DIGITS or int(text) > _MAX_ID:
            raise PoisonError(
                DeadLetterReason.INVALID_ID,
                f"id is {_shown(text)}, not a decimal of at most 64 bits",
            )
        return text

    @staticmethod
    def _given_time(text: str) -> int:
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
        except ValueError:
            raise PoisonError(
                DeadLetterReason.INVALID_FIELD,
                f"{TIME_COLUMN} is {_shown(text)}, not the time that the errata file had",
            ) from None
        since = moment - _EPOCH
        return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000

    def _made_id(self, line: int) -> str:
        made = blake2b(f"{self._synthesize}\n{line}".encode(), digest_size=8).digest()
        return str(int.from_bytes(made, "big"))

    def _hour(self, text: str) -> int:
        known = self._hours.get(text)
        if known is not None:
            return known
        try:
            if not (len(text) == 8 and text.isascii() and text.isdigit()):
                raise ValueError
            moment = datetime(
                2000 + int(text[:2]), int(text[2:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC
            )
            if moment.year < _OLDEST_YEAR:
                raise ValueError
        except ValueError:
            raise PoisonError(
                DeadLetterReason.INVALID_HOUR,
                f"hour is {_shown(text)}, not YYMMDDHH of an hour since {_OLDEST_YEAR}",
            ) from None
        if len(self._hours) < _REMEMBERED_CODES:
            self._hours[text] = int(moment.timestamp()) * 1000
        return int(moment.timestamp()) * 1000

    def _learn_code(self, at: int, text: str) -> None:
        """Check a code once; there are a few thousand different ones in 40 million rows."""
        if not _CODE.fullmatch(text):
            _refuse_code(at, text)
        if len(self._codes) < _REMEMBERED_CODES:
            self._codes[text] = text

    def _learn_int(self, at: int, text: str) -> None:
        if not _CODE.fullmatch(text) or int(text) not in _INT32:
            _refuse_code(at, text)
        if len(self._ints) >= _REMEMBERED_CODES:
            self._ints.clear()
        self._ints[text] = int(text)


def _refuse_code(at: int, text: str) -> None:
    if not text:
        raise PoisonError(DeadLetterReason.MISSING_COLUMN, f"{TRAIN_COLUMNS[at]} is empty")
    raise PoisonError(
        DeadLetterReason.INVALID_FIELD,
        f"{TRAIN_COLUMNS[at]} is {_shown(text)}, not an integer code",
    )


def _unquote(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise PoisonError(DeadLetterReason.INVALID_FIELD, f"quoting: {error}") from None


def _refuse_long_fields(fields: list[str]) -> None:
    for at, field in enumerate(fields):
        if len(field.encode()) > MAX_FIELD_BYTES and at < len(TRAIN_COLUMNS):
            raise PoisonError(
                DeadLetterReason.INVALID_FIELD,
                f"{TRAIN_COLUMNS[at]} is longer than {MAX_FIELD_BYTES} bytes",
            )


def _shown(text: str) -> str:
    """A value as it is quoted in a detail."""
    cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return repr(cut)[:DETAIL_MAX_CHARS]
