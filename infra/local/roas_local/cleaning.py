"""What `./roas clean` removes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from roas_contracts.errors import MisconfigurationError
from roas_local.layout import STACKS, Layout
from roas_local.runner import is_held
from roas_local.stack import StackFolders


def removable(layout: Layout, everything: bool) -> list[Path]:
    """The folders that exist. Raises MisconfigurationError while a stack runs in one of them."""
    for name in STACKS:
        if is_held(StackFolders(layout.state(name))):
            raise MisconfigurationError(f"a stack is running in {layout.state(name)}: ./roas down")
    folders = [layout.state(name) for name in STACKS]
    if everything:
        folders += [layout.toolchain, layout.home / "cache", layout.home / "venvs"]
    return [folder for folder in folders if folder.exists()]


def remove(folders: Sequence[Path]) -> None:
    """Remove folders. Raises MisconfigurationError naming what can't be removed."""
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise MisconfigurationError(f"{folder} can't be removed: {error}") from None
