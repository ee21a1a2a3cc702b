"""From a cell to a field's value.

A cell is what a format gives: text from CSV; text, integer, Decimal or truth from JSON; those and
floats, dates and times from Parquet. None and the empty text are "not there".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from roas_contracts.errors import PoisonError
from roas_contracts.events import DeadLetterReason
from roas_producer.publish.fields import FieldKind
from roas_producer.publish.mapping import Cell, MappedField, MoneyUnit, TimeFormat

MICROS: Final = 1_000_000
_INT32: Final = range(-(1 << 31), 1 << 31)
_SHOWN_CHARS: Final = 60
_THROUGH_A_FLOAT: Final = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+|[0-9]{10,}\.0+", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_TRUE: Final = frozenset(("true", "1", "yes"))
_FALSE: Final = frozenset(("false", "0", "no"))
_SECONDS_BELOW: Final = 100_000_000_000
"""Milliseconds since 1970 are above this since 1973; seconds will be in the year 5138."""

Converter = Callable[[Any], Any]


def is_absent(cell: Any) -> bool:
    """Whether there is nothing in a cell."""
    return cell is None or cell == ""


def converter(mapped: MappedField) -> Converter:
    """The function for one mapped field's cells that are not absent.

    It raises PoisonError with a detail that names the field and shows the cell.
    """
    name, cell, field = mapped.field.name, mapped.cell, mapped.field
    if cell.values is not None:
        return _translated(name, cell.values, _plain(field.kind, name, cell, field.symbols))
    return _plain(field.kind, name, cell, field.symbols)


def _plain(kind: FieldKind, name: str, cell: Cell, symbols: tuple[str, ...]) -> Converter:
    if kind is FieldKind.TIME:
        return _time(name, cell)
    if kind is FieldKind.MONEY:
        in_micros = cell.unit is MoneyUnit.MICROS
        return lambda value: (_integer if in_micros else _money)(name, value)
    if kind is FieldKind.ENUM:
        return lambda value: _symbol(name, value, symbols)
    if kind is FieldKind.ID:
        return lambda value: _id(name, value)
    if kind is FieldKind.TEXT:
        return lambda value: _text(name, value)
    if kind is FieldKind.TRUTH:
        return lambda value: _truth(name, value)
    return lambda value: _small_integer(name, value)


def _translated(name: str, values: dict[str, str], then: Converter) -> Converter:
    def convert(value: Any) -> Any:
        said = _text(name, value)
        if said not in values:
            raise _refusal(name, value, "not among the values of the mapping")
        return then(values[said])

    return convert


def _id(name: str, value: Any) -> str:
    if isinstance(value, float | Decimal) or (
        isinstance(value, str) and _THROUGH_A_FLOAT.fullmatch(value)
    ):
        raise PoisonError(
            DeadLetterReason.INVALID_ID,
            f"{name} is {_shown(value)}: an id that went through a float has lost digits",
        )
    return _text(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    raise _refusal(name, value, "not text")


def _integer(name: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise _refusal(name, value, "not an integer")


def _small_integer(name: str, value: Any) -> int:
    number = _integer(name, value)
    if number not in _INT32:
        raise _refusal(name, value, "beyond 32 bits")
    return number


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    said = str(value).lower()
    if said in _TRUE or said in _FALSE:
        return said in _TRUE
    raise _refusal(name, value, "neither true nor false")


def _symbol(name: str, value: Any, symbols: tuple[str, ...]) -> str:
    if value in symbols:
        return str(value)
    raise _refusal(name, value, f"not one of {', '.join(symbols)}")


def _money(name: str, value: Any) -> int:
    """Currency units, exactly: more than six decimals are refused, but for binary floats."""
    if isinstance(value, float):
        if not abs(value) < 1e12:
            raise _refusal(name, value, "no amount")
        return round(value * MICROS)
    amount = _decimal(name, value, "not an amount such as 1234.56") * MICROS
    if amount != amount.to_integral_value():
        raise _refusal(name, value, "more than six decimals")
    return int(amount)


def _decimal(name: str, value: Any, problem: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _refusal(name, value, problem)
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 18 or "_" in str(value):
        raise _refusal(name, value, problem)
    return number


def _time(name: str, cell: Cell) -> Converter:
    zone = None if cell.timezone is None else ZoneInfo(cell.timezone)
    if cell.format is TimeFormat.ISO8601:
        return lambda value: _iso(name, value, zone)
    if cell.format is TimeFormat.EPOCH_S:
        return lambda value: _epoch_seconds(name, value)
    return lambda value: _epoch_millis(name, value)


def _iso(name: str, value: Any, zone: ZoneInfo | None) -> int:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _refusal(
                name, value, "not an ISO 8601 time such as 2026-03-01T12:00:00Z"
            ) from None
        if len(value) <= len("YYYY-MM-DD"):
            raise _refusal(name, value, "a date without a time of day")
    elif isinstance(value, datetime):
        moment = value
    else:
        raise _refusal(name, value, "not an ISO 8601 time (the mapping can declare another format)")
    if moment.tzinfo is None:
        if zone is None:
            raise _refusal(name, value, "no offset: declare its timezone in the mapping")
        moment = moment.replace(tzinfo=zone)
    since = moment.astimezone(UTC) - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _epoch_seconds(name: str, value: Any) -> int:
    if isinstance(value, float):
        value = Decimal(repr(value))
    seconds = _decimal(name, value, "not seconds since 1970")
    if seconds > _SECONDS_BELOW:
        raise _time_refusal(name, value, "too large for seconds: are these epoch_ms?")
    return int((seconds * 1000).to_integral_value(rounding="ROUND_FLOOR"))


def _epoch_millis(name: str, value: Any) -> int:
    millis = _integer(name, value)
    if 0 <= millis < _SECONDS_BELOW:
        raise _time_refusal(name, value, "too small for milliseconds: are these epoch_s?")
    return millis


def _time_refusal(name: str, value: Any, problem: str) -> PoisonError:
    return PoisonError(
        DeadLetterReason.EVENT_TIME_OUT_OF_BOUNDS, f"{name} is {_shown(value)}: {problem}"
    )


def _refusal(name: str, value: Any, problem: str) -> PoisonError:
    return PoisonError(DeadLetterReason.INVALID_FIELD, f"{name} is {_shown(value)}: {problem}")


def _shown(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")
