"""What is wrong with a YAML file whose keys are fixed, by line and in words for its author."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from roas_contracts.source_lines import SourceLines


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, on which line, at which key."""

    line: int
    at: str
    what: str

    def __str__(self) -> str:
        return f"{self.at}: {self.what}" if self.at else self.what


def yaml_problem(error: yaml.YAMLError) -> Problem:
    """Of a file that is not YAML at all."""
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Problem(line, "", f"not YAML: {error.problem}")
    return Problem(1, "", f"not YAML: {error}")


def model_problems(
    error: ValidationError, text: str, keys: Mapping[tuple[str, ...], Sequence[str]]
) -> list[Problem]:
    """Of a file that is YAML and no such file.

    Args:
        error: what pydantic objects to.
        text: the file.
        keys: which keys there are, by the keys on the way to them; list indexes left out.
    """
    lines = SourceLines(text)
    return [
        Problem(
            lines.of(each["loc"]),
            ".".join(map(str, each["loc"])) or "the file",
            _in_words(each["type"], each["loc"], each["msg"], each["input"], keys),
        )
        for each in error.errors(include_url=False)
    ]


def _in_words(
    kind: str,
    place: tuple[int | str, ...],
    message: str,
    given: Any,
    keys: Mapping[tuple[str, ...], Sequence[str]],
) -> str:
    if kind == "missing":
        return "the key is missing"
    if kind == "extra_forbidden":
        known = keys.get(tuple(step for step in place[:-1] if isinstance(step, str)), ())
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        meant = f"did you mean {near[0]}? There are" if near else "there are"
        return f"there is no such key here: {meant} {', '.join(known)}"
    if kind == "model_type":
        known = keys.get(tuple(step for step in place if isinstance(step, str)), ())
        return f"must have the keys {', '.join(known)}"
    return f"{message}, not {given!r}"
