"""The mapping file: which column of a person's file is which field of the contract.

TOML or YAML, the same keys in both; ``services/producer/examples`` has worked ones. What is not
said is not guessed: units of money and formats of time are declared, and a misspelt key, field or
column is an error that names the nearest one that exists.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from roas_contracts.errors import MisconfigurationError
from roas_producer.publish.fields import (
    ATTRIBUTES,
    CURRENCY,
    SOURCE,
    ContractField,
    EventName,
    FieldKind,
    contract_fields,
    has_attributes,
)


class TimeFormat(StrEnum):
    """How a time is written."""

    ISO8601 = "iso8601"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"


class MoneyUnit(StrEnum):
    """What an amount counts."""

    CURRENCY = "currency"
    MICROS = "micros"


class Cell(BaseModel):
    """Where one field's value comes from, as the mapping file says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    constant: str | int | bool | None = None
    made: Literal["row"] | None = None
    """``row``: an id made from the file's content and the row's number."""
    format: TimeFormat | None = None
    timezone: str | None = None
    unit: MoneyUnit | None = None
    values: dict[str, str] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.column, self.constant, self.made]
        if sum(one is not None for one in given) != 1:
            raise ValueError("say one of: column, constant, made")
        return self


class MappingFile(BaseModel):
    """The file as it is written; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    timezone: str | None = None
    """Of times without an offset; without it such a time is a bad row."""
    fields: dict[str, str | Cell] = Field(min_length=1)
    attributes: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field, and where its value comes from."""

    field: ContractField
    cell: Cell


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A checked mapping for one kind of event."""

    event: EventName
    fields: tuple[MappedField, ...]
    attributes: tuple[tuple[str, str], ...]
    """Name and column."""
    defaults: Mapping[str, Any]
    """Fields that the file does not give."""
    fingerprint: str

    @property
    def columns(self) -> list[str]:
        """The columns that a file has to have."""
        named = [one.cell.column for one in self.fields if one.cell.column is not None]
        return list(dict.fromkeys([*named, *(column for _, column in self.attributes)]))


_ATTRIBUTE_PREFIX: Final = ATTRIBUTES + "."


def load_mapping(path: Path, event: EventName, currency: str) -> ColumnMapping:
    """Read and check a mapping file.

    Raises:
        MisconfigurationError: names the file and the key.
    """
    return check_mapping(_read(path), event, currency, str(path))


def mapping_by_name(columns: Iterable[str], event: EventName, currency: str) -> ColumnMapping:
    """The mapping of a file whose columns are named as the fields (``attributes.x`` too).

    Raises:
        MisconfigurationError: a field that is required has no column.
    """
    known = contract_fields(event)
    present = list(columns)
    fields: dict[str, str | Cell] = {name: name for name in present if name in known}
    attributes = {
        name.removeprefix(_ATTRIBUTE_PREFIX): name
        for name in present
        if name.startswith(_ATTRIBUTE_PREFIX) and has_attributes(event)
    }
    if not fields:
        raise MisconfigurationError(
            "no column is named as a field: say which column is which field with --mapping FILE"
        )
    declared = MappingFile(version=1, fields=fields, attributes=attributes)
    return check_mapping(declared, event, currency, "without --mapping")


def check_mapping(
    declared: MappingFile, event: EventName, currency: str, where: str
) -> ColumnMapping:
    """Check a mapping against the contract.

    Raises:
        MisconfigurationError: names ``where`` and the key.
    """
    known = contract_fields(event)
    mapped = []
    for name, given in declared.fields.items():
        if name == SOURCE:
            raise MisconfigurationError(f"{where}: fields.source: it is always EXTERNAL")
        if name not in known:
            raise MisconfigurationError(
                f"{where}: fields.{name}: {event.value} have no such field{nearest(name, known)}"
            )
        cell = Cell(column=given) if isinstance(given, str) else given
        mapped.append(_checked(known[name], cell, declared.timezone, currency, where))
    if declared.attributes and not has_attributes(event):
        raise MisconfigurationError(f"{where}: attributes: {event.value} have none")
    _check_timezone(declared.timezone, f"{where}: timezone")
    missing = [f.name for f in known.values() if f.required and f.name not in declared.fields]
    if missing:
        raise MisconfigurationError(
            f"{where}: {', '.join(missing)}: {event.value} need a column or a constant for "
            f"{'it' if len(missing) == 1 else 'each'}"
        )
    canonical = json.dumps(declared.model_dump(mode="json"), sort_keys=True)
    defaults = {n: f.default for n, f in known.items() if n not in declared.fields}
    return ColumnMapping(
        event=event,
        fields=tuple(mapped),
        attributes=tuple(declared.attributes.items()),
        defaults=defaults | ({CURRENCY: currency} if CURRENCY in defaults else {}),
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, where something is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


_ONLY_FOR: Final = {
    "format": (FieldKind.TIME,),
    "timezone": (FieldKind.TIME,),
    "unit": (FieldKind.MONEY,),
    "values": (FieldKind.ENUM, FieldKind.TEXT, FieldKind.INTEGER, FieldKind.TRUTH),
    "made": (FieldKind.ID,),
}


def _checked(
    field: ContractField, cell: Cell, timezone: str | None, currency: str, where: str
) -> MappedField:
    key = f"{where}: fields.{field.name}"
    for option, kinds in _ONLY_FOR.items():
        if getattr(cell, option) is not None and field.kind not in kinds:
            raise MisconfigurationError(f"{key}: {option} does not go with a {field.kind.value}")
    if cell.made is not None and field.name != "event_id":
        raise MisconfigurationError(f"{key}: only event_id can be made from the row")
    if cell.values is not None and cell.column is None:
        raise MisconfigurationError(f"{key}: values translate a column")
    changes: dict[str, Any] = {}
    if field.kind is FieldKind.MONEY and cell.unit is None:
        if cell.column is not None and not cell.column.endswith("_micros"):
            raise MisconfigurationError(
                f'{key}: say what the amounts count: unit = "currency" (such as 1.25) or '
                'unit = "micros" (millionths)'
            )
        changes["unit"] = MoneyUnit.MICROS
    if field.kind is FieldKind.TIME:
        changes["format"] = cell.format or TimeFormat.ISO8601
        changes["timezone"] = cell.timezone or timezone
        _check_timezone(cell.timezone, f"{key}: timezone")
        if cell.constant is not None:
            raise MisconfigurationError(f"{key}: a time comes from a column")
    if field.name == CURRENCY and cell.constant not in (None, currency):
        raise MisconfigurationError(
            f"{key}: {cell.constant!r} is not the reporting currency {currency!r} (--currency)"
        )
    return MappedField(field, cell.model_copy(update=changes))


def _check_timezone(name: str | None, key: str) -> None:
    if name is None:
        return
    known = available_timezones() | {"UTC"}
    if name not in known:
        raise MisconfigurationError(f"{key}: {name!r} is no time zone{nearest(name, known)}")
    ZoneInfo(name)


def _read(path: Path) -> MappingFile:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise MisconfigurationError(
            f"the mapping {path} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise MisconfigurationError(f"the mapping {path} is not text: {error}") from error
    suffix = path.suffix.lower()
    try:
        if suffix == ".toml":
            content: Any = tomllib.loads(text)
        elif suffix in (".yaml", ".yml"):
            content = yaml.safe_load(text)
        else:
            raise MisconfigurationError(f"the mapping {path} is neither .toml nor .yaml")
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise MisconfigurationError(f"the mapping {path}: {problem}") from error
    try:
        return MappingFile.model_validate(content)
    except ValidationError as error:
        raise MisconfigurationError(f"the mapping {path}: {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    said: dict[str, str] = {}
    for one in error.errors(include_url=False):
        # A field is a column's name or a table: only what is wrong with the table is of use.
        parts = [str(p) for p in one["loc"] if p != "str" and not str(p).startswith("function-")]
        if one["loc"] and one["loc"][-1] == "str" and one["type"] == "string_type":
            continue
        key, message = ".".join(parts) or "the file", one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            options = Cell.model_fields if len(parts) > 1 else MappingFile.model_fields
            message = f"no such key{nearest(parts[-1], options)}"
        said.setdefault(key, message)
    return "; ".join(f"{key}: {message}" for key, message in said.items()) or "not a mapping"
