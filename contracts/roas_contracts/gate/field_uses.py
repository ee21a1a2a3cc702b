"""Which part of the repository names a field in its code: a search for the word, no more."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from roas_contracts.errors import InputError

PARTS: Final[Mapping[str, str]] = {
    "producer": "services/producer",
    "ctr-stream": "services/ctr-stream",
    "cache-writer": "services/cache-writer",
    "dlq-handler": "services/dlq-handler",
    "alerter": "services/alerter",
    "batch": "batch",
    "ledger": "infra/ledger",
}
"""Folders by the name that subject.yaml has for the part."""

_SOURCES: Final = ("*.py", "*.java", "*.sql")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def words_of_parts(root: Path) -> Mapping[str, frozenset[str]]:
    """Every word of each part's sources, tests left out.

    Raises:
        InputError: none of the parts is there.
    """
    if not any((root / folder).is_dir() for folder in PARTS.values()):
        raise InputError(f"--root {root}: no checkout, for it has none of {_listed()}")
    return {
        name: frozenset(
            word
            for pattern in _SOURCES
            for path in sorted((root / folder).rglob(pattern))
            if not {"test", "tests"} & set(path.relative_to(root).parts)
            for word in _WORD.findall(path.read_text("utf-8", errors="replace"))
        )
        for name, folder in PARTS.items()
        if (root / folder).is_dir()
    }


def users(field: str, parts: Iterable[str], words: Mapping[str, frozenset[str]]) -> list[str]:
    """The parts, of those that have to do with the topic, that name the field."""
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), field)
    return [
        part for part in parts if part in words and (field in words[part] or camel in words[part])
    ]


def _listed() -> str:
    return ", ".join(PARTS.values())
