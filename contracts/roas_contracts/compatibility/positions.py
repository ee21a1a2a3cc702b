"""Lines of places in a JSON text, for messages that name them."""

import json
import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\r\n]*|[\[\]{},:]|[^\s\[\]{},:"/]+', re.DOTALL
)


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) at which the value at a JSON pointer starts; None if the text has no value.

    Of a pointer that leads out of the text, such as into the definition of a type that is only
    named there, the line at which it leaves the text.
    """
    wanted = [part for part in path.split("/") if part]
    deepest, start = -1, 0
    for place, position in _values(text):
        if len(place) > deepest and place == wanted[: len(place)]:
            deepest, start = len(place), position
    return None if deepest < 0 else text.count("\n", 0, start) + 1


def _values(text: str) -> Iterator[tuple[list[str], int]]:
    """Every value of a text, until it is no JSON any more: parts of its pointer, and position."""
    place: list[str] = []  # Of each open bracket the key, or the index, of what comes next in it.
    is_object: list[bool] = []
    is_key = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in ("}", "]"):
            is_key = False
            if not place:
                return
            place.pop()
            is_object.pop()
        elif mark == ",":
            if not place:
                return
            is_key = is_object[-1]
            if not is_key:
                place[-1] = str(int(place[-1]) + 1)
        elif mark == ":":
            is_key = False
        elif is_key:
            place[-1] = _key(mark)
        elif not mark.startswith(("/*", "//")):
            yield place, token.start()
            if mark in ("{", "["):
                is_key = mark == "{"
                is_object.append(is_key)
                place.append("0")


def _key(mark: str) -> str:
    try:
        return str(json.loads(mark))
    except ValueError:
        return mark
