"""Many questions, one per line, answered in order and in bounded memory.

A question is `{"id", "mode", "new", "previous": […]}`, schemas as JSON text, oldest first. Its
answer is `{"id", "compatible", "error", "incompatibilities": [{"type", "path", "message"}]}`, where
`compatible` is null, and `error` says why, if a schema is not valid or the line is no question.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from roas_contracts.compatibility.invalid import InvalidSchemaError
from roas_contracts.compatibility.modes import check_mode
from roas_contracts.compatibility.parsing import parse_schema
from roas_contracts.compatibility.schema import AvroSchema
from roas_contracts.errors import InputError

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_REMEMBERED_SCHEMAS: Final = 512
_REMEMBERED_CHARS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to one line."""

    line: int
    id: Any
    compatible: bool | None
    error: str | None = None
    incompatibilities: tuple[dict[str, str], ...] = ()
    is_question: bool = True
    """False: the line can't be understood."""

    def as_json(self) -> str:
        """One line, without its end."""
        return json.dumps(
            {
                "id": self.id,
                "compatible": self.compatible,
                "error": self.error,
                "incompatibilities": self.incompatibilities,
            }
        )


def answers(questions: BinaryIO) -> Iterator[Answer]:
    """The answers to a stream of questions; an empty line is none."""
    number = 0
    while line := questions.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            _skip_line(questions, line)
            yield _refusal(number, None, f"longer than {MAX_LINE_BYTES} bytes")
        elif line.strip():
            yield _answer(number, line)


def _skip_line(questions: BinaryIO, start: bytes) -> None:
    while start and not start.endswith(b"\n"):
        start = questions.readline(MAX_LINE_BYTES)


def _answer(number: int, line: bytes) -> Answer:
    try:
        question = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _refusal(number, None, f"not JSON: {error}")
    if not isinstance(question, dict):
        return _refusal(number, None, "not a JSON object")
    identity, mode = question.get("id"), question.get("mode")
    new, previous = question.get("new"), question.get("previous")
    if not isinstance(mode, str):
        return _refusal(number, identity, "mode must be a string")
    if not isinstance(new, str):
        return _refusal(number, identity, "new must be a schema as a string of JSON")
    if not isinstance(previous, list) or not all(isinstance(text, str) for text in previous):
        return _refusal(number, identity, "previous must be a list of schemas as strings of JSON")
    try:
        schemas = [_schema("new", new)]
        schemas += [_schema(f"previous {index}", text) for index, text in enumerate(previous)]
    except InputError as error:
        return Answer(number, identity, None, str(error))
    try:
        found = check_mode(mode, schemas[0], schemas[1:])
    except InputError as error:
        return _refusal(number, identity, str(error))
    return Answer(
        number,
        identity,
        compatible=not found,
        incompatibilities=tuple(
            {
                "type": each.incompatibility.type.value,
                "path": each.incompatibility.path,
                "message": each.incompatibility.message,
            }
            for each in found
        ),
    )


def _refusal(number: int, identity: Any, problem: str) -> Answer:
    return Answer(number, identity, None, f"line {number}: {problem}", is_question=False)


def _schema(role: str, text: str) -> AvroSchema:
    try:
        # A stream often asks about the same earlier versions again.
        return _remembered(text) if len(text) <= _REMEMBERED_CHARS else parse_schema(text)
    except InvalidSchemaError as error:
        raise InputError(f"{role} is not valid: {error}") from None


@functools.lru_cache(maxsize=_REMEMBERED_SCHEMAS)
def _remembered(text: str) -> AvroSchema:
    return parse_schema(text)
