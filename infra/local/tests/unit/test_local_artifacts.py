"""The pinned artifacts: their file, and how a coordinate becomes a path."""

import pytest

from roas_contracts.errors import MisconfigurationError
from roas_local.artifacts import ArtifactSet, parse, pinned

DIGEST = "0" * 64


def entry(coordinate: str, name: str = "kafka", sha256: str = DIGEST) -> str:
    return (
        f'[[artifact]]\nset = "{name}"\ncoordinate = "{coordinate}"\n'
        f'sha256 = "{sha256}"\nsize = 3\n'
    )


@pytest.mark.parametrize(
    ("coordinate", "path"),
    [
        ("org.slf4j:slf4j-api:1.7.36", "org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar"),
        ("a.b:c:1:jar:tests", "a/b/c/1/c-1-tests.jar"),
        ("a.b:c:1:tar.gz:all", "a/b/c/1/c-1-all.tar.gz"),
    ],
)
def test_a_coordinate_has_the_path_of_a_maven_repository(coordinate: str, path: str) -> None:
    (artifact,) = parse(entry(coordinate))[ArtifactSet.KAFKA]
    assert artifact.path == path
    assert artifact.coordinate == coordinate


@pytest.mark.parametrize(
    "text",
    [
        entry("only:two"),
        entry("a:b:1", name="no-such-set"),
        entry("a:b:1", sha256="abc"),
        entry("a:b:1:jar:tests:more"),
    ],
)
def test_a_bad_entry_is_refused_by_name(text: str) -> None:
    with pytest.raises(MisconfigurationError, match="artifacts.toml"):
        parse(text)


def test_every_set_of_this_version_has_its_files() -> None:
    sets = pinned()
    assert all(sets[name] for name in ArtifactSet)
    assert len(sets[ArtifactSet.REGISTRY]) == 1
    digests = [artifact.sha256 for artifacts in sets.values() for artifact in artifacts]
    assert all(set(digest) <= set("0123456789abcdef") for digest in digests)


def test_no_set_has_two_versions_of_one_library() -> None:
    for artifacts in pinned().values():
        names = [(a.group, a.name, a.classifier) for a in artifacts]
        assert len(names) == len(set(names))
