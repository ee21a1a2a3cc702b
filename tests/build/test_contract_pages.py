"""docs/contracts is what `./roas contracts docs` writes, and git agrees that nothing was changed.

Runs outside of Pants' sandboxes (`./roas test` does it), for it needs the whole checkout.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def contracts(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roas_contracts", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_pages_are_up_to_date() -> None:
    done = contracts("docs", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gate_compares_with_git_and_finds_nothing() -> None:
    done = contracts("check")
    assert done.returncode == 0, done.stdout + done.stderr
