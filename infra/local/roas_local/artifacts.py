"""The pinned Java artifacts: what `artifacts.toml` says, as values."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from roas_contracts.errors import MisconfigurationError

_FILE = "artifacts.toml"


class ArtifactSet(StrEnum):
    """What an artifact is for; one set is installed as a whole."""

    KAFKA = "kafka"
    REGISTRY = "registry"
    STREAM_RUNTIME = "stream-runtime"
    COMPILER = "compiler"
    JAVA_TESTS = "java-tests"
    PLAIN_SQL = "plain-sql"
    """What the stream is compared with, for benchmarks only."""
    AVRO_ORACLE = "avro-oracle"
    """What the compatibility rule is compared with."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a Maven repository and what it must be."""

    group: str
    name: str
    version: str
    type: str
    classifier: str
    sha256: str
    size: int

    @property
    def coordinate(self) -> str:
        """`group:name:version`, with type and classifier where they are not the default."""
        extra = f":{self.type}:{self.classifier}" if self.classifier else ""
        return f"{self.group}:{self.name}:{self.version}{extra}"

    @property
    def path(self) -> str:
        """Path in a Maven repository, which is also its path in ours."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        folder = f"{self.group.replace('.', '/')}/{self.name}/{self.version}"
        return f"{folder}/{self.name}-{self.version}{suffix}.{self.type}"


def parse(text: str) -> dict[ArtifactSet, tuple[Artifact, ...]]:
    """Read the text of `artifacts.toml`. Raises MisconfigurationError naming the bad entry."""
    sets: dict[ArtifactSet, list[Artifact]] = {name: [] for name in ArtifactSet}
    for entry in tomllib.loads(text).get("artifact", []):
        try:
            parts = entry["coordinate"].split(":")
            defaults = ["", "", "", "jar", ""]
            group, name, version, kind, classifier = parts + defaults[len(parts) :]
            artifact = Artifact(
                group, name, version, kind, classifier, entry["sha256"], int(entry["size"])
            )
            sets[ArtifactSet(entry["set"])].append(artifact)
        except (KeyError, ValueError) as error:
            raise MisconfigurationError(f"{_FILE}: bad entry {entry}: {error}") from None
        if not artifact.version:
            raise MisconfigurationError(f"{_FILE}: {entry['coordinate']}: no version")
        if len(artifact.sha256) != 64:
            raise MisconfigurationError(f"{_FILE}: {artifact.coordinate}: sha256 is not 64 digits")
    return {name: tuple(artifacts) for name, artifacts in sets.items()}


@cache
def pinned() -> dict[ArtifactSet, tuple[Artifact, ...]]:
    """The artifacts that this version of the stack runs on."""
    return parse(resources.files("roas_local").joinpath(_FILE).read_text("utf-8"))
