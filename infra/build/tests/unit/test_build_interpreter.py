"""An interpreter is taken only after it was seen to run."""

import sys
from pathlib import Path

from roas_build.interpreter import works


def test_another_version_is_refused() -> None:
    assert sys.version_info[:2] != (3, 9)
    assert not works(Path(sys.executable))


def test_a_shim_that_refuses_to_run_is_refused(tmp_path: Path) -> None:
    shim = tmp_path / "python3.9"
    shim.write_text("#!/bin/sh\necho 'CPython 3.9.18'\nexit 127\n", "utf-8")
    shim.chmod(0o755)
    assert not works(shim)


def test_a_program_that_says_the_right_thing_is_taken(tmp_path: Path) -> None:
    python = tmp_path / "python3.9"
    python.write_text("#!/bin/sh\necho 'CPython 3.9.18 (main)'\n", "utf-8")
    python.chmod(0o755)
    assert works(python)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert not works(tmp_path / "python3.9")
