"""Finds Pants and runs it: the official launcher where there is one, else our own installation."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from roas_build import checkout, toolchain
from roas_build.checkout import Checkout
from roas_contracts.errors import TransientError

_LAUNCHER_SECONDS = 600
"""The official launcher fetches Pants itself when it is first asked for its version."""

_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Set by our bootstrap for our own programs; Pants runs on another Python."""


@dataclass(frozen=True, slots=True)
class PantsLauncher:
    """How Pants is started in this checkout.

    `environment` is added to the caller's; `origin` says for a person where it came from.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    def run(
        self,
        arguments: Sequence[str],
        *,
        root: Path,
        extra_environment: Mapping[str, str] | None = None,
    ) -> int:
        """Run Pants in the checkout `root` with this process' own streams; its exit code."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=root,
            env=self.full_environment() | dict(extra_environment or {}),
            check=False,
        ).returncode

    def full_environment(self) -> dict[str, str]:
        """The whole environment for Pants and, by `[test].extra_env_vars`, for the tests."""
        where = checkout.current()
        environment = {k: v for k, v in os.environ.items() if k not in _OURS}
        environment |= {
            checkout.HOME_VARIABLE: str(where.home),
            checkout.AVAZU_VARIABLE: str(where.avazu),
            # The CPython that runs this is the one that the locks were checked against.
            "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": repr(
                [str(Path(sys.base_prefix) / "bin"), "<PATH>", "<PYENV>"]
            ),
        }
        # Sandboxed tests must see the sources that Pants hands them, not the checkout's.
        environment.pop(checkout.REPOSITORY_VARIABLE, None)
        return environment | dict(self.environment)


def find_pants() -> PantsLauncher:
    """The official `pants` on PATH if it serves the pinned version, else our own installation.

    Raises:
        TransientError: neither is possible; the message says what is missing.
        MisconfigurationError: the toolchain folder can't be written.
    """
    where = checkout.current()
    if (official := shutil.which("pants")) and _answers(official, where):
        return PantsLauncher((official,), origin=f"the launcher {official}")
    uv = _find_uv(where)
    installed = toolchain.ensure(where.pants_home, uv)
    return PantsLauncher(
        (str(installed.pants),), installed.environment(), f"the package index ({installed.pants})"
    )


def run_pants(arguments: Sequence[str]) -> int:
    """`./roas pants …`: run Pants in the checkout; its exit code. Raises as `find_pants`."""
    return find_pants().run(arguments, root=checkout.current().root)


def _answers(official: str, where: Checkout) -> bool:
    """Whether the launcher on PATH can bring up the version that pants.toml pins."""
    environment = PantsLauncher((official,)).full_environment()
    try:
        answer = subprocess.run(
            [official, "--version"],
            cwd=where.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LAUNCHER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    if answer.returncode != 0:
        print(
            f"{official} can't start the pinned Pants here; taking it from the package index",
            file=sys.stderr,
        )
    return answer.returncode == 0


def _find_uv(where: Checkout) -> Path:
    """The installer that the bootstrap pinned, else one on PATH."""
    pinned = where.home / "venvs" / "bootstrap" / "bin" / "uv"
    if pinned.is_file():
        return pinned
    if on_path := shutil.which("uv"):
        return Path(on_path)
    raise TransientError(f"the installer uv is missing: ./roas puts it at {pinned}")
