"""Python environments, one per resolve, installed from the committed lockfiles by uv.

Standard library only: the bootstrap makes the services' environment with it before anything else
exists.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roas_local.lockfile import LockfileError, requirements

_STAMP = ".installed-from"
# The lockfiles hold what was resolved for this one.
_PYTHON = (3, 11)


class InstallError(Exception):
    """An environment could not be made; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an environment goes, its lockfile, and which projects of it (empty: all)."""

    folder: Path
    lockfile: Path
    only: frozenset[str] = frozenset()

    def digest(self) -> str:
        """Changes whenever what would be installed changes."""
        content = self.lockfile.read_bytes() if self.lockfile.is_file() else b""
        return hashlib.sha256(content + "\0".join(sorted(self.only)).encode()).hexdigest()

    def is_installed(self) -> bool:
        """True if the folder holds exactly what the lockfile says."""
        stamp = self.folder / _STAMP
        return stamp.is_file() and stamp.read_text() == self.digest()


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a file lock, so that two starts at once install one after the other."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another start is installing into {lock.parent}: waiting", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(environment: Environment, uv: Path, cache: Path) -> Path:
    """Install an environment unless it is there; return its interpreter.

    Args:
        environment: what to install.
        uv: the installer's program.
        cache: folder for downloads and for interpreters that uv has to fetch.

    Raises:
        InstallError: no network, no disk, no interpreter or a digest that does not match.
    """
    python = environment.folder / "bin" / "python"
    if environment.is_installed():
        return python
    with exclusive(environment.folder.with_name(f".{environment.folder.name}.lock")):
        if not environment.is_installed():
            _install(environment, uv, cache)
    return python


def _install(environment: Environment, uv: Path, cache: Path) -> None:
    folder = environment.folder
    try:
        text = requirements(environment.lockfile, environment.only)
    except LockfileError as error:
        raise InstallError(str(error)) from None
    env = {
        **os.environ,
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_INSTALL_DIR": str(cache / "python"),
        "UV_NO_CONFIG": "1",
    }
    # Not in place: an interrupted install must not look like an old but usable one.
    (folder / _STAMP).unlink(missing_ok=True)
    print(
        f"installing the {folder.name} environment ({text.count('==')} packages)", file=sys.stderr
    )
    hashed = folder.with_name(f".{folder.name}.requirements.txt")
    try:
        hashed.parent.mkdir(parents=True, exist_ok=True)
        hashed.write_text(text)
        shutil.rmtree(folder, ignore_errors=True)
        make = [str(uv), "venv", "--quiet", "--python", _interpreter(), str(folder)]
        _run(make, env, folder.name)
        install = [str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
        install += ["--no-deps", "--require-hashes", "--requirement", str(hashed)]
        _run(install, env, folder.name)
        (folder / _STAMP).write_text(environment.digest())
    except OSError as error:
        raise InstallError(f"{folder} can't be written: {error.strerror}") from None


def _interpreter() -> str:
    # This one if it fits; else uv looks for a fitting one and, failing that, fetches it.
    return sys.executable if sys.version_info[:2] == _PYTHON else ".".join(map(str, _PYTHON))


def _run(command: list[str], env: dict[str, str], name: str) -> None:
    try:
        done = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise InstallError(f"{command[0]} can't be started: {error.strerror}") from None
    if done.returncode == 0:
        return
    raise InstallError(f"the {name} environment was not installed: {explain(done.stderr)}")


def explain(output: str) -> str:
    """What an installer's output means, for a person; the output itself if that is not known."""
    low = output.lower()
    if "no space left" in low:
        return "the disk is full"
    if "hash mismatch" in low:
        return "a download does not match the digest in the lockfile"
    if "no interpreter found" in low:
        return "no fitting Python was found (CPython 3.11 is), and none could be fetched"
    network = (
        *("dns error", "error sending request", "failed to fetch", "connect", "timed out"),
        *("name resolution", "no matching distribution"),
    )
    if any(sign in low for sign in network):
        return "the package index does not answer; it needs the network the first time"
    return output.strip()
