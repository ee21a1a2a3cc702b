"""Installs Pants from the package index, once, into the checkout's own toolchain.

Two things are made: an environment with Pants at pinned hashes, and `pex-cli`, the tool that Pants
would otherwise download from a release page that closed networks don't let through.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roas_build import interpreter
from roas_contracts.errors import MisconfigurationError, TransientError

REQUIREMENTS = Path(__file__).with_name("pants-requirements.txt")
PEX_VERSION = "2.1.137"
"""Must agree with pants-requirements.txt and with what Pants asks of `pex-cli`."""

_INSTALL_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Toolchain:
    """An installed Pants: its program and the tool it builds environments with."""

    pants: Path
    pex_cli: Path

    def environment(self) -> dict[str, str]:
        """What tells Pants to use this `pex-cli` instead of downloading one."""
        content = self.pex_cli.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        known = [
            f"v{PEX_VERSION}|{platform}|{digest}|{len(content)}"
            for platform in ("linux_x86_64", "linux_arm64", "macos_x86_64", "macos_arm64")
        ]
        return {
            "PANTS_PEX_CLI_VERSION": f"v{PEX_VERSION}",
            "PANTS_PEX_CLI_URL_TEMPLATE": f"file://{self.pex_cli}",
            "PANTS_PEX_CLI_KNOWN_VERSIONS": repr(known),
            "NO_SCIE_WARNING": "1",
        }


def ensure(home: Path, uv: Path) -> Toolchain:
    """The toolchain under `home`, installed if it is not there yet.

    Safe when two processes ask at once. What is there needs no network.

    Raises:
        TransientError: no CPython 3.9, or the package index can't be reached.
        MisconfigurationError: the folder can't be written, or the disk is full.
    """
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = home / stamp
    toolchain = Toolchain(folder / "venv" / "bin" / "pants", folder / "pex-cli.pex")
    if toolchain.pex_cli.is_file() and interpreter.works(folder / "venv" / "bin" / "python"):
        return toolchain
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _lock(home / "lock"):
            if not toolchain.pex_cli.is_file():
                print("Installing Pants (once, about 20 s)", file=sys.stderr, flush=True)
                _install(folder, toolchain, uv)
    except OSError as error:
        raise MisconfigurationError(f"Pants can't be installed in {home}: {error}") from error
    return toolchain


def _install(folder: Path, toolchain: Toolchain, uv: Path) -> None:
    """Build in place (an environment can't be moved); pex-cli, made last, marks it complete."""
    python = interpreter.find(uv, folder.parent / "python")
    shutil.rmtree(folder, ignore_errors=True)
    venv = folder / "venv"
    _run([str(uv), "venv", "--quiet", "--python", str(python), str(venv)])
    install = [str(uv), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
    _run([*install, "--require-hashes", "--no-deps", "--requirements", str(REQUIREMENTS)])
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "pex-cli.pex"
        _run(
            [
                *(str(venv / "bin" / "pex"), f"pex=={PEX_VERSION}", "--script", "pex"),
                *("--pex-root", str(Path(scratch) / "root"), "--output-file", str(made)),
            ]
        )
        made.replace(toolchain.pex_cli)


def _run(command: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TransientError(
            f"Pants could not be installed within {_INSTALL_SECONDS} s ({command[0]})"
        ) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise TransientError(f"Pants could not be installed ({command[0]}): {lines[-1]}")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
