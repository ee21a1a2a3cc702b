"""Where the build reads and writes follows the environment, else the checkout."""

from pathlib import Path

import pytest

from roas_build.checkout import current
from roas_build.pipeline import run_tests
from roas_contracts.errors import InputError, MisconfigurationError


@pytest.fixture()
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that holds a pants.toml and a folder, named by the environment."""
    root = tmp_path / "repository"
    (root / "services").mkdir(parents=True)
    (root / "pants.toml").write_text("", "utf-8")
    monkeypatch.setenv("ROAS_REPOSITORY", str(root))
    monkeypatch.delenv("ROAS_HOME", raising=False)
    monkeypatch.delenv("ROAS_AVAZU_DIR", raising=False)
    return root


def test_everything_is_in_the_checkout_by_default(repository: Path) -> None:
    where = current()
    assert where.root == repository
    assert where.home == repository / ".roas"
    assert where.avazu == repository.parent / "shared" / "data" / "avazu"


def test_home_can_be_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROAS_HOME", str(repository / "elsewhere"))
    assert current().pants_home == repository / "elsewhere" / "toolchain" / "pants"


def test_a_folder_that_is_no_checkout_is_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROAS_REPOSITORY", str(repository / "services"))
    with pytest.raises(MisconfigurationError, match="services: point ROAS_REPOSITORY"):
        current()


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("path", ["missing", "..", "/"])
def test_only_must_name_something_in_the_checkout(path: str) -> None:
    with pytest.raises(InputError, match="--only"):
        run_tests(only=path)
