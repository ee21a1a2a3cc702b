import os
from pathlib import Path

from roas_ctr_stream.checkpoints import newest_snapshot


def snapshot(path: Path, at_ns: int, complete: bool = True) -> Path:
    path.mkdir(parents=True)
    if complete:
        (path / "_metadata").write_bytes(b"x")
        os.utime(path / "_metadata", ns=(at_ns, at_ns))
    return path


def test_nothing_there_means_a_first_start(tmp_path: Path) -> None:
    assert newest_snapshot(tmp_path / "checkpoints", tmp_path / "savepoints") is None


def test_the_newest_complete_one_counts_whatever_its_job_and_number(tmp_path: Path) -> None:
    checkpoints, savepoints = tmp_path / "checkpoints", tmp_path / "savepoints"
    snapshot(checkpoints / "job1" / "chk-900", 1_000)
    newest = snapshot(checkpoints / "job2" / "chk-7", 3_000)
    snapshot(checkpoints / "job2" / "chk-6", 2_000)
    snapshot(checkpoints / "job2" / "chk-8", 4_000, complete=False)
    (checkpoints / "job2" / "shared").mkdir()

    found = newest_snapshot(checkpoints, savepoints)

    assert found is not None
    assert found.path == newest


def test_a_savepoint_that_stopped_the_job_is_newer_than_its_checkpoints(tmp_path: Path) -> None:
    checkpoints, savepoints = tmp_path / "checkpoints", tmp_path / "savepoints"
    snapshot(checkpoints / "job" / "chk-1", 1_000)
    savepoint = snapshot(savepoints / "savepoint-abc-def", 2_000)

    found = newest_snapshot(checkpoints, savepoints)

    assert found is not None
    assert found.path == savepoint


def test_a_fresh_start_ignores_what_was_there_before(tmp_path: Path) -> None:
    checkpoints, savepoints = tmp_path / "checkpoints", tmp_path / "savepoints"
    snapshot(checkpoints / "old" / "chk-1", 1_000)
    assert newest_snapshot(checkpoints, savepoints, since_ns=2_000) is None
    new = snapshot(checkpoints / "new" / "chk-1", 3_000)
    found = newest_snapshot(checkpoints, savepoints, since_ns=2_000)
    assert found is not None
    assert found.path == new
