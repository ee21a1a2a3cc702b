"""Compiles a Java part of this repository into a jar, once per content of its sources."""

import hashlib
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from roas_contracts.errors import MisconfigurationError
from roas_local.environments import exclusive

_JAVA_RELEASE = "11"
# Fixed, so that the same sources give the same jar.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


def build_jar(
    name: str,
    sources: Path,
    target: Path,
    java: Path,
    compiler: Path,
    class_path: Sequence[Path],
) -> Path:
    """Return the jar of `sources`, compiling it if it is not there yet.

    Args:
        name: start of the jar's name.
        sources: folder with `java/` and, where there are any, `resources/`.
        target: folder of the jars.
        java: the `java` program.
        compiler: the Eclipse compiler's jar (a JRE has no javac).
        class_path: jars the sources are compiled against.

    Raises:
        MisconfigurationError: there are no sources, or they do not compile.
    """
    files = sorted(path for path in sources.rglob("*") if path.is_file())
    if not any(path.suffix == ".java" for path in files):
        raise MisconfigurationError(f"no Java sources in {sources}")
    jar = target / f"{name}-{_digest(sources, files, class_path)}.jar"
    if not jar.is_file():
        with exclusive(target / ".build.lock"):
            if not jar.is_file():
                _build(sources, jar, java, compiler, class_path)
    return jar


def _digest(sources: Path, files: Sequence[Path], class_path: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(sources)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    for jar in class_path:
        digest.update(f"{jar.name}\0".encode())
    return digest.hexdigest()[:16]


def _build(
    sources: Path, jar: Path, java: Path, compiler: Path, class_path: Sequence[Path]
) -> None:
    with tempfile.TemporaryDirectory(dir=jar.parent) as scratch:
        classes = Path(scratch) / "classes"
        command: list[str | Path] = [java, "-jar", compiler, "-nowarn", "-encoding", "UTF-8"]
        command += ["-source", _JAVA_RELEASE, "-target", _JAVA_RELEASE]
        command += ["-classpath", ":".join(map(str, class_path)), "-d", classes]
        done = subprocess.run([*command, sources / "java"], capture_output=True, text=True)
        if done.returncode != 0:
            raise MisconfigurationError(
                f"the Java sources in {sources} do not compile:\n{done.stdout}{done.stderr}"
            )
        unfinished = Path(scratch) / jar.name
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for root in (classes, sources / "resources"):
                for file in sorted(path for path in root.rglob("*") if path.is_file()):
                    entry = zipfile.ZipInfo(str(file.relative_to(root)), _ENTRY_TIME)
                    archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        unfinished.replace(jar)
