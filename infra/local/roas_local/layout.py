"""Where things are: the checkout, what was installed into it, and the state of a stack."""

import os
from dataclasses import dataclass
from pathlib import Path

from roas_contracts.errors import MisconfigurationError

HOME_VARIABLE = "ROAS_HOME"
REPOSITORY_VARIABLE = "ROAS_REPOSITORY"

STACKS = ("run", "demo", "chaos")
"""State folders of stacks: of `./roas up`, `demo` and `chaos`. One runs at a time."""

SOURCE_ROOTS = (
    "contracts",
    "infra/local",
    "infra/ledger",
    "infra/build",
    "infra/bench",
    "infra/chaos",
    "batch/dbt",
    "services/producer",
    "services/ctr-stream",
    "services/cache-writer",
    "services/dlq-handler",
    "batch/jobs",
    "batch/airflow",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of one checkout.

    `repository` holds the sources, `home` everything that is installed or written at run time
    (`.roas` in the checkout unless ROAS_HOME says otherwise).
    """

    repository: Path
    home: Path

    @property
    def toolchain(self) -> Path:
        """Downloaded jars and archives."""
        return self.home / "toolchain"

    @property
    def uv(self) -> Path:
        """The pinned installer that the bootstrap put into its own environment."""
        return self.home / "venvs" / "bootstrap" / "bin" / "uv"

    @property
    def locks(self) -> Path:
        """Committed lockfiles, one per resolve."""
        return self.repository / "3rdparty" / "python"

    @property
    def python_path(self) -> str:
        """PYTHONPATH of our own programs."""
        return ":".join(str(self.repository / root) for root in SOURCE_ROOTS)

    def venv(self, resolve: str) -> Path:
        """Folder of the environment of one resolve."""
        return self.home / "venvs" / resolve

    def python(self, resolve: str) -> Path:
        """Interpreter of the environment of one resolve."""
        return self.venv(resolve) / "bin" / "python"

    def state(self, name: str) -> Path:
        """Folder of a stack's data, logs and state file: one of `STACKS`."""
        return self.home / name


def _find_repository() -> Path:
    for folder in (Path(__file__).resolve(), *Path(__file__).resolve().parents):
        if (folder / "3rdparty" / "python").is_dir() and (folder / "contracts").is_dir():
            return folder
    raise MisconfigurationError(
        f"the checkout was not found above {Path(__file__).parent}: set {REPOSITORY_VARIABLE}"
    )


def current() -> Layout:
    """Layout from ROAS_REPOSITORY and ROAS_HOME, else from where this file lies."""
    repository = os.environ.get(REPOSITORY_VARIABLE)
    root = Path(repository).resolve() if repository else _find_repository()
    home = os.environ.get(HOME_VARIABLE)
    return Layout(root, Path(home).absolute() if home else root / ".roas")
