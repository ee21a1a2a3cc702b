"""The declarative repairs of `fix`: a YAML file that somebody has reviewed.

    description: producer 1.4.2 wrote event times in seconds
    rules:
      - name: seconds to milliseconds
        when:
          topics: [ad-impressions]
          reasons: [EVENT_TIME_OUT_OF_BOUNDS]
          fields:
            event_time: {at_least: 1000000000, below: 10000000000}
        steps:
          - multiply: {field: event_time, by: 1000}
        encode_as: 1

The first rule whose conditions all hold is applied; what none matches stays failed. The file's
schema is closed: a misspelt key is an error.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from roas_contracts.errors import InputError
from roas_contracts.events import DeadLetterReason

Scalar = bool | int | float | str | None


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldCondition(_Closed):
    """What a field of the decoded record must be; all of those given."""

    equals: Scalar = None
    is_null: bool | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    matches: str | None = None
    """A regular expression that the whole text matches."""

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> FieldCondition:
        if not self.model_fields_set:
            raise ValueError("says nothing: equals, is_null, at_least, below or matches")
        return self


class When(_Closed):
    """Conditions on the dead letter and on its record's fields; all of those given."""

    topics: list[str] = []
    reasons: list[DeadLetterReason] = []
    services: list[str] = []
    schema_ids: list[int] = []
    fields: dict[str, FieldCondition] = {}


class Set(_Closed):
    """Give a field a value."""

    field: str
    value: Scalar | dict[str, str]


class Rename(_Closed):
    """Call a field by our name."""

    field: str
    to: str


class Cast(_Closed):
    """Turn a value into another type; what does not fit exactly is refused."""

    field: str
    to: Literal["integer", "number", "text", "boolean"]


class Multiply(_Closed):
    """Multiply a number, such as seconds to milliseconds; null stays null."""

    field: str
    by: Decimal


class Add(_Closed):
    """Add to a number, such as a time zone's offset; null stays null."""

    field: str
    amount: Decimal


class Drop(_Closed):
    """Leave out a field that our schema does not have."""

    field: str


class Step(_Closed):
    """One change: exactly one of these."""

    set: Set | None = None
    rename: Rename | None = None
    cast: Cast | None = None
    multiply: Multiply | None = None
    add: Add | None = None
    drop: Drop | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step is exactly one of set, rename, cast, multiply, add, drop")
        return self


class Rule(_Closed):
    """Conditions, and the steps that repair what they hold for."""

    name: str = Field(min_length=1)
    when: When
    read_as: int | None = Field(default=None, ge=1)
    """Read the bytes under this version of the topic's schema, whatever id they carry."""
    steps: list[Step] = []
    encode_as: int | None = Field(default=None, ge=1)
    """Write it under this version of the topic's schema; the newest if none is named."""


class RulesFile(_Closed):
    """A reviewed file."""

    description: str = Field(min_length=1)
    rules: list[Rule] = Field(min_length=1)


def read_rules(path: Path) -> str:
    """The text of a rules file.

    Raises:
        InputError: it can't be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def parse_rules(text: str, name: str) -> RulesFile:
    """The rules in a text.

    Raises:
        InputError: names the file and what is wrong where.
    """
    try:
        content: Any = yaml.safe_load(text)
        return RulesFile.model_validate(content)
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False)
        )
        raise InputError(f"{name}: {problems}") from error
