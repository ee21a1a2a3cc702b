"""What an installer's message means for a person."""

from pathlib import Path

import pytest

from roas_local.environments import Environment, explain


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("error: Hash mismatch for `rich==14.0`", "does not match the digest"),
        ("error: No interpreter found for Python 3.11 in managed installations", "fitting Python"),
        ("error sending request for url (https://pypi.org/simple/rich/)", "needs the network"),
        ("client error (Connect): dns error: failed to lookup", "needs the network"),
        ("error: something new", "error: something new"),
    ],
)
def test_a_message_is_explained(output: str, meaning: str) -> None:
    assert meaning in explain(output)


def test_a_changed_lockfile_makes_the_environment_old(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text("one")
    environment = Environment(tmp_path / "venv", lock)
    assert not environment.is_installed()
    environment.folder.mkdir()
    (environment.folder / ".installed-from").write_text(environment.digest())
    assert environment.is_installed()
    lock.write_text("two")
    assert not environment.is_installed()
