"""What was there before: the contracts as git has them on the base branch."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roas_contracts.errors import InputError

_GIT_SECONDS: Final = 60
_SHORT: Final = 12


@dataclass(frozen=True, slots=True)
class Base:
    """The files of one folder in one commit."""

    commit: str
    files: Mapping[str, bytes]
    """Content by the path inside the folder, with slashes."""

    def __str__(self) -> str:
        return self.commit[:_SHORT]


def find_bases(directory: Path, requested: str | None) -> tuple[list[Base], list[str]]:
    """The commits that a folder has to be compared with, and notes for the reader.

    That is the commit where this branch left the base branch; on the base branch itself, HEAD (for
    what is not committed yet) and its parent (for what the last commit did).

    Args:
        directory: the contracts' folder.
        requested: the base branch or commit; None: origin's or the local main branch.

    Raises:
        InputError: the requested one does not exist, or this is no git checkout.
    """
    if _git(directory, "rev-parse", "--show-toplevel") is None:
        if requested is not None:
            raise InputError(f"--base {requested}: {directory} is in no git checkout")
        return [], [f"not in a git checkout: compared with {directory.name}/published.sha256 only"]
    name, tip = _tip(directory, requested)
    if tip is None:
        return [], [
            "git has no main branch here to compare with: name one with --base; compared with "
            f"{directory.name}/published.sha256 only"
        ]
    head = _commit(directory, "HEAD")
    left = _git(directory, "merge-base", tip, "HEAD")
    commit = left.decode().strip() if left else tip
    commits = [commit]
    notes = []
    if not left:
        notes.append(f"this branch and {name} share no commit here: compared with {name} as it is")
    if commit == head:
        parent = _commit(directory, "HEAD^")
        commits += [parent] if parent else []
    bases = [Base(each, _files(directory, each)) for each in commits]
    shown = " and ".join(map(str, bases))
    return bases, [*notes, f"compared with {shown} ({name})"]


def beside(folder: Path, base: Base) -> Base:
    """The files of another folder in the same commit, also where it is gone by now."""
    inside = f"{folder.name}/"
    beside_it = _files(folder.parent, base.commit, inside)
    return Base(
        base.commit, {name.removeprefix(inside): content for name, content in beside_it.items()}
    )


def _tip(directory: Path, requested: str | None) -> tuple[str, str | None]:
    if requested is not None:
        commit = _commit(directory, requested)
        if commit is None:
            raise InputError(f"--base {requested}: git knows no such branch or commit")
        return requested, commit
    pull_request = os.environ.get("GITHUB_BASE_REF")
    names = [f"origin/{pull_request}"] if pull_request else []
    for name in (*names, "origin/main", "main", "origin/HEAD", "origin/master", "master"):
        commit = _commit(directory, name)
        if commit is not None:
            return name, commit
    return "", None


def _commit(directory: Path, name: str) -> str | None:
    found = _git(
        directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    )
    return found.decode().strip() if found else None


def _files(directory: Path, commit: str, inside: str = ".") -> Mapping[str, bytes]:
    """Every file below the folder in a commit, in two calls of git."""
    listed = _git(directory, "ls-tree", "-r", "-z", commit, inside)
    entries = []
    for line in (listed or b"").split(b"\0"):
        about, _, path = line.partition(b"\t")
        if about.split()[1:2] == [b"blob"]:
            entries.append((path.decode("utf-8", "surrogateescape"), about.split()[2]))
    wanted = b"".join(blob + b"\n" for _, blob in entries)
    output = _git(directory, "cat-file", "--batch", stdin=wanted) or b""
    files = {}
    for name, _ in entries:
        header, _, rest = output.partition(b"\n")
        size = int(header.split()[2])
        files[name] = rest[:size]
        output = rest[size + 1 :]
    return files


def _git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes | None:
    """What git answers; None when it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            input=stdin,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
