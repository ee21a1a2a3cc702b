"""Turns a committed lockfile (pex JSON under a comment header) into hashed requirements.

Standard library only: the bootstrap runs it before anything is installed.
"""

import json
from pathlib import Path
from typing import Any


class LockfileError(Exception):
    """The lockfile is missing or can't be read; the message names it."""


def requirements(lockfile: Path, only: frozenset[str] = frozenset()) -> str:
    """Lines for `pip install --require-hashes --no-deps -r`.

    Args:
        lockfile: file made by `pants generate-lockfiles`.
        only: project names to keep; empty keeps all.

    Raises:
        LockfileError: the file is missing, is no such lockfile or lacks one of `only`.
    """
    locked = _locked_requirements(lockfile)
    lines = []
    found = set()
    for requirement in sorted(locked, key=lambda item: item["project_name"]):
        name = requirement["project_name"]
        if only and name not in only:
            continue
        found.add(name)
        hashes = sorted({f"{a['algorithm']}:{a['hash']}" for a in requirement["artifacts"]})
        options = " ".join(f"--hash={value}" for value in hashes)
        lines.append(f"{name}=={requirement['version']} {options}")
    if missing := only - found:
        raise LockfileError(f"{lockfile} does not lock {', '.join(sorted(missing))}")
    return "\n".join(lines) + "\n"


def _locked_requirements(lockfile: Path) -> list[dict[str, Any]]:
    try:
        text = lockfile.read_text("utf-8")
    except OSError as error:
        raise LockfileError(f"lockfile {lockfile} can't be read: {error.strerror}") from None
    body = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    try:
        (resolve,) = json.loads(body)["locked_resolves"]
        locked: list[dict[str, Any]] = resolve["locked_requirements"]
    except (ValueError, KeyError, TypeError) as error:
        raise LockfileError(f"{lockfile} is not a lockfile: {error}") from None
    return locked
