"""Read interfaces against what they promised before."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from roas_contracts.gate.base import Base
from roas_contracts.gate.findings import Finding
from roas_contracts.read_interfaces import ReadInterface, broken_promises, parse
from roas_contracts.yaml_problems import Problem, model_problems, yaml_problem

FOLDER: Final = "read_interfaces"

_INSTEAD: Final = (
    "leave it, and add what is new beside it; a change of meaning is a new version of the "
    "interface (…_v2), beside the old one until nobody reads that any more"
)


def findings(folder: Path, bases: Sequence[Base]) -> Iterator[Finding]:
    """Declarations that can't be read, and promises that the base made and today's break."""
    for path in sorted(folder.glob("*.yaml")):
        for problem in _problems(path):
            yield Finding(
                kind="unreadable",
                topic=path.stem,
                file=path,
                line=problem.line,
                at=problem.at,
                what=problem.what,
                unreadable=True,
            )
    for base in bases:
        for name, content in base.files.items():
            yield from _against(folder, name, content)


def _problems(path: Path) -> list[Problem]:
    try:
        text = path.read_text("utf-8")
        parse(text)
    except yaml.YAMLError as error:
        return [yaml_problem(error)]
    except ValidationError as error:
        return model_problems(error, text, {(): tuple(ReadInterface.model_fields)})
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(1, "", f"can't be read: {error}")]
    return []


def _against(folder: Path, name: str, content: bytes) -> Iterator[Finding]:
    path = folder / name
    if path.exists() and _problems(path):
        return
    try:
        before = parse(content)
        now = parse(path.read_bytes()).promises if path.exists() else {}
    except (yaml.YAMLError, ValidationError):
        return  # Today's is reported above; an old one that was none promised nothing.
    broken = list(broken_promises(before.promises, now))
    for what in broken if path.exists() else [f"{name} is gone"]:
        yield Finding(
            kind="broken-promise",
            topic=path.stem,
            file=path,
            at=what.split(" ")[0].rstrip(":"),
            what=what,
            why="dashboards, alerts and checks read it, and nobody here knows all of them",
            instead=_INSTEAD,
        )
