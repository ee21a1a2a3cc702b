"""Compiles and runs the tests of the Java part: its decoder, clock, operators and windows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from roas_contracts.subjects import contracts_directory
from roas_local.artifacts import ArtifactSet
from roas_local.install import Toolchain, default_toolchain


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The job's jars, Flink with its test harnesses, and the compiled tests in front."""
    tools = default_toolchain()
    tools.test_libraries()
    libraries = [
        *tools.stream_jars(),
        *sorted((tools.flink() / "lib").glob("flink-dist-*.jar")),
        *sorted((tools.flink() / "lib").glob("log4j-*.jar")),
        *tools.jars(ArtifactSet.JAVA_TESTS),
    ]
    classes = tmp_path_factory.mktemp("classes")
    compile_tests(tools, classes, libraries)
    return os.pathsep.join(map(str, (classes, *libraries)))


def compile_tests(tools: Toolchain, classes: Path, libraries: list[Path]) -> None:
    sources = tools.layout.repository / "services" / "ctr-stream" / "java" / "src" / "test" / "java"
    (compiler,) = tools.jars(ArtifactSet.COMPILER)
    command: list[str | Path] = [tools.java(), "-jar", compiler, "-nowarn", "-proc:none"]
    command += ["-source", "17", "-target", "17", "-encoding", "UTF-8"]
    command += ["-classpath", os.pathsep.join(map(str, libraries)), "-d", classes, sources]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_java_tests_pass(class_path: str, tmp_path: Path) -> None:
    tools = default_toolchain()
    launcher = next(
        jar
        for jar in tools.jars(ArtifactSet.JAVA_TESTS)
        if jar.name.startswith("junit-platform-console-standalone")
    )
    command: list[str | Path] = [tools.java(), f"-Droas.contracts={contracts_directory().parent}"]
    command += ["-jar", launcher, "execute", "--class-path", class_path]
    command += ["--scan-class-path", class_path.split(os.pathsep)[0]]
    command += ["--disable-banner", "--disable-ansi-colors", "--details=tree"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    successful = re.search(r"(\d+) tests successful", done.stdout)
    assert successful is not None, done.stdout
    assert int(successful.group(1)) >= 30, done.stdout
