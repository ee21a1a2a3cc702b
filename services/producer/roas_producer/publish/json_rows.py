"""JSON lines: one object a line. A column is a key, or a path of keys with dots."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any, NoReturn

from roas_contracts.errors import InputError, PoisonError
from roas_contracts.events import DeadLetterReason
from roas_producer.lines import Input
from roas_producer.publish.input_lines import InputLines
from roas_producer.publish.rows import FileRow


class Cells(dict[str, Any]):
    """An object's values by key and, inside nested objects, by path (``device.type``)."""

    def __missing__(self, path: str) -> Any:
        found: Any = dict(self)
        for key in path.split("."):
            if not isinstance(found, Mapping) or key not in found:
                raise KeyError(path)
            found = found[key]
        return found

    def get(self, path: str, default: Any = None) -> Any:
        """As of any mapping, paths included."""
        try:
            return self[path]
        except KeyError:
            return default


class JsonRows:
    """Reads JSON lines.

    Args:
        source: the file or standard input.
    """

    columns: list[str] | None = None

    def __init__(self, source: Input) -> None:
        self._source = source
        self._lines = InputLines(source)

    @property
    def drained(self) -> bool:
        """Whether the next row has to be waited for."""
        return self._lines.drained

    def rows(self) -> Iterator[FileRow]:
        """The objects; blank lines are no rows.

        Raises:
            InputError: the file is empty, damaged, or one JSON array.
        """
        number = 0
        with closing(self._lines):
            for number, line in self._lines:
                raw = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if number == 1 and raw.lstrip().startswith(b"["):
                    raise InputError(
                        f"{self._source.name} is one JSON array: JSON lines have one object a line"
                    )
                if raw.strip():
                    yield FileRow(number, functools.partial(bytes, line), _cells(raw))
        if not number:
            raise InputError(f"{self._source.name}: empty, JSON lines are expected")


def _cells(raw: bytes) -> Cells | PoisonError:
    try:
        found = json.loads(
            raw.decode(),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} of the row is not UTF-8"
    except (ValueError, RecursionError) as error:
        problem = f"not JSON: {error}"
    else:
        if isinstance(found, dict):
            return Cells(found)
        problem = "not a JSON object"
    return PoisonError(DeadLetterReason.INVALID_FIELD, problem)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
