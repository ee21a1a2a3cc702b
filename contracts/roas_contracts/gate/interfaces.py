"""Read interfaces against what they promised before."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from roas_contracts.gate.base import Base
from roas_contracts.gate.findings import Finding
from roas_contracts.read_interfaces import broken_promises, parse

FOLDER: Final = "read_interfaces"

_INSTEAD: Final = (
    "leave it, and add what is new beside it; a change of meaning is a new version of the "
    "interface (…_v2), beside the old one until nobody reads that any more"
)


def findings(folder: Path, bases: Sequence[Base]) -> Iterator[Finding]:
    """Declarations that can't be read, and promises that the base made and today's break."""
    for path in sorted(folder.glob("*.yaml")):
        try:
            parse(path.read_bytes())
        except (yaml.YAMLError, ValidationError) as error:
            mark = getattr(error, "problem_mark", None)
            yield Finding(
                kind="unreadable",
                topic=path.stem,
                file=path,
                line=mark.line + 1 if mark else 1,
                what=f"no declaration of a read interface: {str(error).splitlines()[0]}",
                unreadable=True,
            )
    for base in bases:
        for name, content in base.files.items():
            yield from _against(folder, name, content)


def _against(folder: Path, name: str, content: bytes) -> Iterator[Finding]:
    path = folder / name
    try:
        before = parse(content)
        now = parse(path.read_bytes()).promises if path.is_file() else {}
    except (yaml.YAMLError, ValidationError):
        return  # Today's is reported above; an old one that was none promised nothing.
    broken = list(broken_promises(before.promises, now))
    for what in broken if path.is_file() else [f"{name} is gone"]:
        yield Finding(
            kind="broken-promise",
            topic=path.stem,
            file=path,
            at=what.split(" ")[0].rstrip(":"),
            what=what,
            why="dashboards, alerts and checks read it, and nobody here knows all of them",
            instead=_INSTEAD,
        )
