"""Finds the CPython 3.9 that Pants 2.17 runs itself on (the repository's code is 3.11)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from roas_contracts.errors import TransientError

VERSION = "3.9"
_PROBE = "import ctypes, platform, ssl, sys; print(platform.python_implementation(), sys.version)"
_PROBE_SECONDS = 20
_FETCH_SECONDS = 600


def find(uv: Path, managed: Path) -> Path:
    """An interpreter that was seen to run: from PATH, pyenv or uv, else fetched by uv.

    Args:
        uv: the pinned installer.
        managed: folder for a fetched interpreter.

    Raises:
        TransientError: there is none and none could be fetched.
    """
    for candidate in _candidates(uv, managed):
        if works(candidate):
            return candidate
    return _fetch(uv, managed)


def works(python: Path) -> bool:
    """Whether this is a CPython 3.9 that starts: pyenv's shims exist and then refuse."""
    try:
        answer = subprocess.run(
            [python, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.startswith(f"CPython {VERSION}.")


def _candidates(uv: Path, managed: Path) -> Iterator[Path]:
    if on_path := shutil.which(f"python{VERSION}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python"), reverse=True)
    found = _uv(uv, managed, "find", "--no-python-downloads")
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _fetch(uv: Path, managed: Path) -> Path:
    if _uv(uv, managed, "install").returncode == 0:
        found = _uv(uv, managed, "find", "--no-python-downloads")
        python = Path(found.stdout.strip())
        if found.returncode == 0 and works(python):
            return python
    raise TransientError(
        "the tests need Pants, and Pants needs either its official `pants` launcher on PATH or "
        f"CPython {VERSION}: neither is here and CPython {VERSION} could not be fetched; install "
        "one of them (https://www.pantsbuild.org/stable/docs/getting-started/installing-pants)"
    )


def _uv(uv: Path, managed: Path, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(uv), "python", verb, *options, f"cpython@{VERSION}"]
    environment = os.environ | {"UV_PYTHON_INSTALL_DIR": str(managed)}
    try:
        return subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
