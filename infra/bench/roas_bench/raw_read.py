"""The limit: the same bytes consumed and decoded by a JVM, with no job around it."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roas_bench.bench_stack import BenchStack
from roas_contracts.errors import MisconfigurationError, TransientError
from roas_contracts.subjects import contracts_directory
from roas_local.artifacts import ArtifactSet

_SECONDS: Final = 1_800.0


@dataclass(frozen=True, slots=True)
class Limit:
    """CPU seconds of each round over all records."""

    records: int
    consume: list[float]
    """Consumed, and nothing else."""
    decode: list[float]
    """Consumed, decoded, checked, dimension keys made."""


def raw_read(bench: BenchStack, rounds: int) -> Limit:
    """Read the event topics as often as asked, after a round that warms the JVM up.

    Raises:
        MisconfigurationError: the program does not compile.
        TransientError: it failed.
    """
    tools = bench.tools
    repository = tools.layout.repository
    libraries = [
        *tools.stream_jars(),
        *sorted((tools.flink() / "lib").glob("flink-dist-*.jar")),
        *sorted((tools.flink() / "lib").glob("log4j-*.jar")),
    ]
    sources = [
        repository / "infra/bench/java/marketingroas/ctrstream/RawRead.java",
        # The job's declarations in Java, as its own tests have them.
        repository
        / "services/ctr-stream/java/src/test/java/marketingroas/ctrstream/Contracts.java",
    ]
    (compiler,) = tools.jars(ArtifactSet.COMPILER)
    with tempfile.TemporaryDirectory() as folder:
        class_path = os.pathsep.join(map(str, (folder, *libraries)))
        compile_: list[str | Path] = [tools.java(), "-jar", compiler, "-nowarn", "-proc:none"]
        compile_ += ["-source", "17", "-target", "17", "-encoding", "UTF-8"]
        compile_ += ["-classpath", class_path, "-d", folder, *sources]
        done = subprocess.run(compile_, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise MisconfigurationError(f"the raw reader does not compile:\n{done.stderr}")
        run: list[str | Path] = [tools.java(), "-Xmx768m", "-cp", class_path]
        run += ["marketingroas.ctrstream.RawRead", bench.kafka, bench.registry]
        run += [contracts_directory().parent, str(rounds + 1)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode != 0:
        raise TransientError(f"the raw reader failed: {done.stderr.strip()[-2000:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Limit(
        found["records"],
        [nanos / 1e9 for nanos in found["consume"]],
        [nanos / 1e9 for nanos in found["decode"]],
    )
