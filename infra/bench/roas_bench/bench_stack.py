"""The servers a benchmark runs on: the local stack's own, on free ports, in a folder of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from roas_contracts.errors import TransientError
from roas_local.components import FlinkCluster
from roas_local.install import Toolchain, default_toolchain
from roas_local.ports import free_port
from roas_local.provisioning import provision
from roas_local.settings import StackSettings
from roas_local.stack import Stack, StackFolders


class BenchStack:
    """A stack without its services, which each benchmark starts as it needs them."""

    def __init__(self, folder: Path, flink_settings: Mapping[str, object]) -> None:
        self.tools: Toolchain = default_toolchain()
        ports: dict[str, Any] = {name: free_port().number for name in StackSettings.port_fields()}
        self.stack = Stack(StackFolders(folder), StackSettings(**ports), self.tools)
        self.stack.flink = FlinkCluster(
            folder / "data" / "flink",
            log_folder=folder / "logs",
            toolchain=self.tools,
            settings=flink_settings,
        )

    @property
    def kafka(self) -> str:
        """Kafka's `host:port`."""
        return self.stack.kafka.bootstrap

    @property
    def registry(self) -> str:
        """Base URL of the schema registry."""
        return self.stack.registry.url

    def environment(self) -> dict[str, str]:
        """For a child process: ours, and the settings of every service."""
        return {**os.environ, **self.stack.environment()}

    def run_tool(
        self, module: str, *arguments: str, resolve: str = "services", timeout_s: float = 3_600.0
    ) -> dict[str, Any]:
        """Run one of our command lines to its end and return the JSON that it printed.

        Raises:
            TransientError: it failed or did not end in time.
        """
        out = self.run_module(module, *arguments, resolve=resolve, timeout_s=timeout_s)
        printed: dict[str, Any] = json.loads(out)
        return printed

    def run_module(
        self, module: str, *arguments: str, resolve: str = "services", timeout_s: float = 3_600.0
    ) -> str:
        """Run a Python module as a process to its end and return its stdout.

        Raises:
            TransientError: it failed or did not end in time.
        """
        command: list[str | Path] = [self.tools.environment(resolve), "-m", module, *arguments]
        try:
            done = subprocess.run(
                command,
                env=self.environment(),
                capture_output=True,
                text=True,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            raise TransientError(f"{module} did not end within {timeout_s:.0f} s") from None
        if done.returncode != 0:
            raise TransientError(f"{module} {arguments[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout


@contextmanager
def bench_stack(
    name: str, *, flink: bool = False, flink_settings: Mapping[str, object] | None = None
) -> Iterator[BenchStack]:
    """Start Kafka, registry, PostgreSQL, Redis and, where asked for, Flink; remove it all after.

    Args:
        name: of the benchmark; its folder is `bench/<name>-<pid>` of ROAS_HOME.
        flink: whether to start a cluster.
        flink_settings: what differs from the local stack's cluster.
    """
    tools = default_toolchain()
    # Another run of the same benchmark may be under way, such as a test's.
    folder = tools.layout.home / "bench" / f"{name}-{os.getpid()}"
    bench = BenchStack(folder, flink_settings or {})
    stack = bench.stack
    try:
        with ExitStack() as running:
            for component in (stack.postgres, stack.redis, stack.kafka, stack.registry):
                running.enter_context(component)
            if flink:
                running.enter_context(stack.flink)
            provision(
                tools.layout.repository,
                tools.environment("services"),
                stack.environment(),
                stack.postgres.dsn,
                lambda _: None,
            )
            yield bench
    finally:
        shutil.rmtree(folder, ignore_errors=True)
