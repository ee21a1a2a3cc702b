"""What needs Airflow's packages is tested with them, by a pytest of their environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from roas_local.install import default_toolchain

TESTS = Path(__file__).resolve().parents[1] / "inside_airflow"
PACKAGE = TESTS.parents[1]


def test_the_dags_load_and_keep_their_promises() -> None:
    done = subprocess.run(
        [
            *(default_toolchain().environment("airflow"), "-m", "pytest", "-q"),
            *("-p", "no:cacheprovider", "--rootdir", str(TESTS), str(TESTS)),
        ],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
