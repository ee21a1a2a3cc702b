"""An import planted from one part into another fails the build, in a copy of the checkout.

Runs outside of Pants' sandboxes (`./roas test` does it), because it runs Pants.
"""

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from roas_build import PantsLauncher, find_pants
from roas_build.daemon import stop

ROOT = Path(__file__).resolve().parents[2]

SERVICES = {
    "services/producer": "roas_producer",
    "services/ctr-stream": "roas_ctr_stream",
    "services/cache-writer": "roas_cache_writer",
    "services/dlq-handler": "roas_dlq_handler",
}
STACK = ("infra/local", "roas_local")
LEDGER = ("infra/ledger", "roas_ledger")
CHAOS = ("infra/chaos", "roas_chaos")
CONTRACTS = ("contracts", "roas_contracts")
PRODUCER = ("services/producer", "roas_producer")
JOBS = ("batch/jobs", "roas_batch")
MARTS = ("batch/dbt", "roas_dbt")

FORBIDDEN = [
    *itertools.permutations(SERVICES.items(), 2),
    *itertools.product([CONTRACTS, STACK, LEDGER, CHAOS], SERVICES.items()),
    *itertools.product([CONTRACTS, *SERVICES.items(), JOBS], [STACK]),
    # The batch's jobs are as closed as a service: once in each direction is enough to know.
    *itertools.permutations([JOBS, PRODUCER], 2),
    (LEDGER, JOBS),
    *itertools.permutations([JOBS, MARTS], 2),
]
"""(importing, imported), each a folder and its package."""

PANTS_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Build:
    """Pants in a copy of the checkout."""

    pants: PantsLauncher
    root: Path

    def dependencies(self, target: str) -> subprocess.CompletedProcess[str]:
        """Ask for a target's dependencies: every goal that reads sources does so first."""
        return subprocess.run(
            [*self.pants.command, "--no-dynamic-ui", "--no-colors", "dependencies", target],
            cwd=self.root,
            env=self.pants.full_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PANTS_SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A copy of what git knows of the checkout (edits included), as a repository of its own."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # Not what was deleted but is still in the index.
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    subprocess.run(["git", "init", "--quiet"], cwd=copy, timeout=60, check=True)
    made = Build(find_pants(), copy)
    try:
        yield made
    finally:
        stop(copy)


def test_the_copy_without_a_planted_import_passes(build: Build) -> None:
    answer = build.dependencies("::")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("importing", "imported"),
    FORBIDDEN,
    ids=[f"{importing[1]}-imports-{imported[1]}" for importing, imported in FORBIDDEN],
)
def test_a_planted_import_fails_the_build(
    build: Build, importing: tuple[str, str], imported: tuple[str, str]
) -> None:
    folder, package = importing
    planted = build.root / folder / package / "planted_import.py"
    planted.write_text(f"import {imported[1]}\n", "utf-8")
    try:
        answer = build.dependencies(f"{folder}/{package}/planted_import.py")
    finally:
        planted.unlink()
    assert answer.returncode != 0, answer.stdout
    # By the rule or, across resolves, because nobody there owns the module.
    assert "planted_import.py" in answer.stderr
    named = (f"{folder}/BUILD[!*]" in answer.stderr and imported[0] in answer.stderr) or (
        "UnownedDependencyError" in answer.stderr and imported[1] in answer.stderr
    )
    assert named, answer.stderr
