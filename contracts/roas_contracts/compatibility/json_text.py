"""A schema's text as JSON, as Jackson reads it for Avro's Java.

Stricter than Python's reader (no NaN, at most 1,000 levels and 1,000 digits), and looser: comments.
"""

import json
import re
import sys
from typing import Any, Final, NoReturn, TypeGuard

from roas_contracts.compatibility.invalid import InvalidSchemaError

MAX_DEPTH: Final = 1000
MAX_NUMBER_CHARS: Final = 1000

_RECURSION: Final = 20_000
"""Frames that a schema of the largest depth may take; ours use no C stack."""
_SURELY_SHALLOW: Final = 100

_STRING: Final = r'"(?:[^"\\]|\\.)*"?'
_COMMENT: Final = re.compile(rf"({_STRING})|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_NOT_LINE_END: Final = re.compile(r"[^\r\n]")
_BRACKET: Final = re.compile(rf"{_STRING}|([\[{{])|([\]}}])", re.DOTALL)


def read_json(text: str) -> Any:
    """The decoded text.

    Raises:
        InvalidSchemaError: it is not JSON; `line` says where.
    """
    if text.count("{") + text.count("[") > _SURELY_SHALLOW:
        _prepare_for_depth(text)
    try:
        return _decode(text, text)
    except json.JSONDecodeError as error:
        if "/*" not in text and "//" not in text:
            raise _not_json(error) from None
    try:
        return _decode(_without_comments(text), text)
    except json.JSONDecodeError as error:
        raise _not_json(error) from None


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether a decoded value was written as a whole number, and true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _prepare_for_depth(text: str) -> None:
    depth = deepest = 0
    for match in _BRACKET.finditer(_without_comments(text)):
        if match.group(1):
            depth += 1
            deepest = max(deepest, depth)
            if depth > MAX_DEPTH:
                line = text.count("\n", 0, match.start()) + 1
                raise InvalidSchemaError(f"nested more than {MAX_DEPTH} levels deep", line=line)
        elif match.group(2):
            depth -= 1
    # Raised for good: lowering it again could hit another thread in the middle of its work.
    if deepest > _SURELY_SHALLOW and sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)


def _without_comments(text: str) -> str:
    """The text with blanks for comments, every character at its old place."""

    def blank(match: re.Match[str]) -> str:
        kept: str | None = match.group(1)
        return kept if kept is not None else _NOT_LINE_END.sub(" ", match.group())

    return _COMMENT.sub(blank, text)


def _decode(text: str, original: str) -> Any:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    decoded, end = _DECODER.raw_decode(text, start)
    for position in range(end, len(original)):
        if original[position] > " ":  # After the schema nothing may follow, not even a comment.
            raise json.JSONDecodeError("something follows the schema", original, position)
    return decoded


def _integer(text: str) -> int:
    _require_short(text)
    return int(text)


def _number(text: str) -> float:
    _require_short(text)
    return float(text)


def _require_short(text: str) -> None:
    if len(text.lstrip("-")) > MAX_NUMBER_CHARS:
        raise InvalidSchemaError(f"a number of more than {MAX_NUMBER_CHARS} digits")


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidSchemaError(f"not JSON: {text} is not a JSON number")


def _not_json(error: json.JSONDecodeError) -> InvalidSchemaError:
    return InvalidSchemaError(f"not JSON: {error.msg} (column {error.colno})", line=error.lineno)


_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number
)
