"""Where the checkout is and where its build may write."""

import os
from dataclasses import dataclass
from pathlib import Path

from roas_contracts.errors import MisconfigurationError

REPOSITORY_VARIABLE = "ROAS_REPOSITORY"
HOME_VARIABLE = "ROAS_HOME"
AVAZU_VARIABLE = "ROAS_AVAZU_DIR"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Folders of one checkout, all absolute.

    `root` holds pants.toml, `home` what is installed or written at run time (`.roas` in the
    checkout unless ROAS_HOME says otherwise).
    """

    root: Path
    home: Path

    @property
    def pants_home(self) -> Path:
        """Where Pants is installed when its official launcher is not to be had."""
        return self.home / "toolchain" / "pants"

    @property
    def reports(self) -> Path:
        """JUnit XML files, one per test file; must agree with `[test].report_dir`."""
        return self.root / "dist" / "test" / "reports"

    @property
    def avazu(self) -> Path:
        """Folder of the Avazu rows that some tests read and others do without."""
        configured = os.environ.get(AVAZU_VARIABLE)
        beside = self.root.parent / "shared" / "data" / "avazu"
        return Path(configured).absolute() if configured else beside


def current() -> Checkout:
    """The checkout from ROAS_REPOSITORY, else from where this file lies.

    Raises:
        MisconfigurationError: there is no pants.toml there.
    """
    configured = os.environ.get(REPOSITORY_VARIABLE)
    root = Path(configured).resolve() if configured else Path(__file__).resolve().parents[3]
    if not (root / "pants.toml").is_file():
        raise MisconfigurationError(
            f"there is no pants.toml in {root}: point {REPOSITORY_VARIABLE} at the checkout"
        )
    home = os.environ.get(HOME_VARIABLE)
    return Checkout(root, Path(home).absolute() if home else root / ".roas")
