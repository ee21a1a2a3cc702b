"""First start: puts the installer and the services' environment below ROAS_HOME.

Standard library only; run by `./roas` as a script with whatever CPython >= 3.11 there is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from roas_local.environments import (
    Environment,
    InstallError,
    ensure,
    exclusive,
    explain,
)

_UNAVAILABLE = 3
_NEEDED_BYTES = 1_000_000_000


def main() -> int:
    """Install what is missing; returns the exit code for the shell."""
    home = Path(os.environ["ROAS_HOME"])
    repository = Path(os.environ["ROAS_REPOSITORY"])
    services = Environment(
        home / "venvs" / "services", repository / "3rdparty" / "python" / "services.lock"
    )
    try:
        _require_disk(home)
        uv = install_uv(home / "venvs" / "bootstrap")
        ensure(services, uv, home / "cache")
    except InstallError as error:
        print(f"roas: {error}", file=sys.stderr)
        return _UNAVAILABLE
    except OSError as error:
        print(f"roas: {home} can't be written: {error.strerror}", file=sys.stderr)
        return _UNAVAILABLE
    except KeyboardInterrupt:
        return 130
    return 0


def install_uv(folder: Path) -> Path:
    """The pinned uv in an environment of its own. Raises InstallError."""
    pins = Path(__file__).with_name("bootstrap.txt")
    uv, stamp = folder / "bin" / "uv", folder / ".installed-from"
    with exclusive(folder.with_name(".bootstrap.lock")):
        if stamp.is_file() and stamp.read_bytes() == pins.read_bytes() and uv.is_file():
            return uv
        shutil.rmtree(folder, ignore_errors=True)
        print("installing uv, which installs the rest", file=sys.stderr)
        made = _run(sys.executable, "-m", "venv", str(folder))
        if made.returncode != 0:
            if "ensurepip" in made.stdout + made.stderr or "No module named venv" in made.stderr:
                raise InstallError(
                    f"{sys.executable} has no venv module: install it (Debian: python3-venv)"
                )
            raise InstallError(f"no environment could be made: {made.stderr.strip()}")
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
        options = ("--quiet", "--retries", "2", "--timeout", "30", "--require-hashes", "--no-deps")
        done = _run(*pip, "install", *options, "--only-binary=:all:", "--requirement", str(pins))
        if done.returncode != 0:
            raise InstallError(f"uv was not installed: {explain(done.stderr)}")
        stamp.write_bytes(pins.read_bytes())
    return uv


def _require_disk(home: Path) -> None:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < _NEEDED_BYTES:
        raise InstallError(f"the disk is full: {existing} has {free / 1e9:.1f} GB free")


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise InstallError(f"{command[0]} can't be started: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
